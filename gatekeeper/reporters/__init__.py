"""The same verdict for terminals and machines."""

from gatekeeper.reporters.junit import junit_xml
from gatekeeper.reporters.self_test import print_self_test
from gatekeeper.reporters.terminal import print_verdict

__all__ = ["junit_xml", "print_self_test", "print_verdict"]
