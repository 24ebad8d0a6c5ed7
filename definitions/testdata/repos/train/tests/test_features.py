import features


def test_ttl():
    assert features.v.ttl is not None
