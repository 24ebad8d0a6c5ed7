from views.base import *
from . import base
from .base import view as make

users = make("users", 2)
same = base.shared_view
