"""The session's cookie on its way (contract "Settled besides")."""

import pytest

WAYS = (
    ({}, False),
    ({"base_url": "https://localhost"}, True),
    ({"headers": {"X-Forwarded-Proto": "https"}}, True),
    ({"headers": {"X-Forwarded-Proto": "http"}}, False),
)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(("way", "is_secure"), WAYS)
def test_a_cookie_is_secure_when_the_request_came_over_https(visitor, way, is_secure):
    cookie = visitor.get("/login", **way).headers["Set-Cookie"]

    assert ("Secure" in cookie) is is_secure
    assert "HttpOnly" in cookie
    assert "SameSite" in cookie
