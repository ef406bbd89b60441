"""The device flow (RFC 8628): asks for a code, waits while a person uses it, keeps the token. Prints and logs nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from triaged.mail.keeper import Keeper
from triaged.mail.oauth2 import DeviceCode, Pending, Token, device_code_of, device_form, login_of, polling_form
from triaged.mail.ports import NoToken

_SLOWER = 5  # seconds (RFC 8628 section 3.5)


def log_in(keeper: Keeper, tell: Callable[[str, str], None], sleep: Callable[[float], None] = time.sleep) -> None:
    """`tell` hears the address and the code. Raises NoToken when nobody agreed."""
    client = keeper.client
    form = device_form(client)
    code = device_code_of(keeper.post(client.device_url, form), client, form, keeper.now())
    tell(code.address, code.user_code)
    token = _awaited(keeper, code, sleep)
    if not token.refresh:
        mend = 'add "offline_access" to oauth2.scopes'
        raise NoToken(f"the login gave no refresh token, so it would end within the hour: {mend}", refused=True)
    keeper.shelf.save(token)


def _awaited(keeper: Keeper, code: DeviceCode, sleep: Callable[[float], None]) -> Token:
    interval = code.interval
    form = polling_form(keeper.client, code.code)
    while keeper.now() < code.expires_at:
        sleep(interval)
        try:
            return login_of(keeper.post(keeper.client.token_url, form), keeper.client, form, keeper.now())
        except Pending as pending:
            interval += _SLOWER if pending.slower else 0
        except NoToken as error:
            if error.refused:
                raise
            interval += _SLOWER  # section 3.5: a connection that timed out is tried again, more slowly
    mend = f"run `triaged login {keeper.client.mailbox}` again"
    raise NoToken(f"the code has expired before somebody used it: {mend}", refused=True)
