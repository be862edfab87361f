"""Sum up the pytest reports of all Python versions, and fail if there are none: the last lines of `make test`."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main(folder: Path) -> int:
    passed = failed = skipped = 0
    for report in sorted(folder.glob("*.xml")):
        suite = ET.parse(report).getroot().find("testsuite")
        assert suite is not None, f"{report} is not a pytest report"
        tests, bad, left_out = (int(suite.attrib[name]) for name in ("tests", "failures", "skipped"))
        bad += int(suite.attrib["errors"])
        print(f"{report.stem}: {tests - bad - left_out} passed, {bad} failed, {left_out} skipped")
        passed, failed, skipped = passed + tests - bad - left_out, failed + bad, skipped + left_out
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
