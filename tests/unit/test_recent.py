"""What is kept for a moment: bounded, the longest unused going first."""

from __future__ import annotations

from gateway.recent import Recent


def test_what_was_put_comes_back_until_it_is_taken() -> None:
    recent = Recent(800)
    recent.put(1, b"a" * 100)
    assert recent.get(1) == b"a" * 100
    assert recent.take(1) == b"a" * 100
    assert (recent.get(1), recent.take(1)) == (None, None)


def test_the_longest_unused_goes_when_the_room_is_used_up() -> None:
    recent = Recent(800)
    for key in range(8):
        recent.put(key, bytes(100))
    assert recent.get(0) is not None  # used: 1 is the longest unused now
    recent.put(8, bytes(100))
    assert (recent.get(1), recent.get(0) is not None, recent.get(8) is not None) == (None, True, True)
    recent.take(0)
    recent.put(9, bytes(100))  # fits into the place that was left
    assert recent.get(2) is not None


def test_what_is_too_large_is_not_kept() -> None:
    recent = Recent(800)
    recent.put(1, bytes(101))
    assert recent.get(1) is None
