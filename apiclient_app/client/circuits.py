"""What people can do with the circuit breaker of a client."""

from __future__ import annotations

import time
from dataclasses import replace
from math import inf
from typing import Any

from apiclient_app.exceptions import InvalidConfiguration, StoreUnavailable, TransportError
from apiclient_app.guard.circuit import Circuit
from apiclient_app.steps import Flow, GateCall
from apiclient_app.tokens import Inspection, moment

from .calling import Calling


class Circuits(Calling):
    """A client whose circuit can be looked at, opened and closed, for all its subjects."""

    def inspect(self) -> Inspection:
        """Tell what is known of token, grant and circuit, without asking the API."""
        known = super().inspect()
        if self.config.breaker is None:
            return known
        circuit, told = self._run(self._looked())
        if not told:
            known = replace(known, store_available=False)
        if circuit is None:
            return replace(known, circuit="closed")
        return replace(
            known,
            circuit="open by hand" if circuit.by_hand else circuit.state(time.time()),
            circuit_opened_at=moment(circuit.at),
            circuit_until=None if circuit.by_hand else moment(circuit.until),
        )

    def open_circuit(self) -> None:
        """Have every call raise CircuitOpen, everywhere within MEMORY_SECONDS, until
        `close_circuit`.

        Raises InvalidConfiguration where BREAKER is off, TransportError where the cache could
        not be told.
        """
        self._refuse_without_breaker()
        circuit = Circuit(time.time(), inf)
        self._run(self._ordered("open", circuit))
        self._common.sight.see(circuit, time.time())

    def close_circuit(self) -> None:
        """Let calls go again, whoever opened the circuit. Raises as `open_circuit`."""
        self._refuse_without_breaker()
        self._run(self._ordered("close"))
        self._common.sight.see(None, time.time())

    def _looked(self) -> Flow:
        """Give the circuit, and whether the cache told of it."""
        sight = self._common.sight
        try:
            circuit = yield GateCall("circuit")
        except StoreUnavailable:  # then what this process knows is all there is
            return sight.circuit, False
        # One that is open is still to be looked at by a call, which may try the API out.
        sight.see(circuit, time.time() if circuit is None else sight.looked_at)
        return sight.circuit, True

    def _ordered(self, method: str, *arguments: Any) -> Flow:
        try:
            yield GateCall(method, arguments)
            return
        except StoreUnavailable:
            error = TransportError(
                f"{self.alias}: the cache does not answer, so no other process has heard of it. "
                "Repeat it when the cache is back.",
                alias=self.alias,
            )
            error.sent = False
        raise error

    def _refuse_without_breaker(self) -> None:
        if self.config.breaker is None:
            raise InvalidConfiguration(
                f"{self.alias}: there is no circuit to open or close. Set "
                f"API_CLIENTS[{self.alias!r}]['BREAKER'] to True."
            )
