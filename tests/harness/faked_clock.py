"""A real process whose wall clock is off, through libfaketime (LD_PRELOAD): as if the machine's clock were set wrong, also while it runs.
What only counts time, the steady clock, goes on as it is, as on such a machine."""

import glob

import pytest


class FakedClock:
    def __init__(self, folder, offset=0):
        found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        if not found:
            pytest.skip("libfaketime is not installed (scripts/packages check)")
        self.file = folder / "clock"
        self.set(offset)
        self.env = {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DISABLE_SHM": "1"}

    def set(self, offset):
        """Seconds; the next look at the clock sees it."""
        new = self.file.with_suffix(".new")
        new.write_text("%+d\n" % offset)
        new.replace(self.file)
