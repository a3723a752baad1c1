"""The refusal at the door."""

from sipstrobe.web.exchange import HttpProblem, Response


class Denied(HttpProblem):
    """Not let in; `headers` carry the challenge."""

    def __init__(self, status: int, detail: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(status, detail)
        self.headers = headers

    def response(self) -> Response:
        return super().response().with_headers(*self.headers)
