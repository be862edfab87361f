"""Nothing that was acknowledged is lost, doubled or out of order, whatever is killed under load."""

import pytest

from tests.faults.injuries import INJURIES, can_mount, run, small_disk

pytestmark = pytest.mark.once

ROUNDS = 2


@pytest.mark.parametrize("name", INJURIES)
def test_fault_loses_no_acknowledged_message(name: str) -> None:
    injury = INJURIES[name]
    if injury.place is small_disk and not can_mount():
        pytest.skip("this machine lets us mount no small disk")
    verdict = run(injury, ROUNDS, seed=len(name))
    assert verdict.is_clean(), verdict
    assert verdict.was_felt(), "nobody noticed the injury, this shows nothing"
    assert verdict.acknowledged > 60 * ROUNDS, f"too little was said to show anything: {verdict}"
