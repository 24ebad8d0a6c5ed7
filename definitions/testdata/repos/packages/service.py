import shared.keys
from feast import FeatureService
from views import users as u

service = FeatureService(name="service", features=[u.users, u.shared_view])
key = shared.keys.user
