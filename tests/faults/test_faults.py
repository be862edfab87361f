"""Fault injection under load: no acknowledged message is lost, duplicated or out of order."""

import pytest

from tests.faults.faults import FAULTS, can_mount, run, small_disk

pytestmark = pytest.mark.once

ROUNDS = 2


@pytest.mark.parametrize("name", FAULTS)
def test_fault_loses_no_acknowledged_message(name: str) -> None:
    fault = FAULTS[name]
    if fault.place is small_disk and not can_mount():
        pytest.skip("this machine does not allow mounting a small disk")
    verdict = run(fault, ROUNDS, seed=len(name))
    assert verdict.is_clean(), verdict
    assert verdict.had_effect(), "the fault had no effect on the load"
    assert verdict.acknowledged > 60 * ROUNDS, f"too few messages were sent: {verdict}"
