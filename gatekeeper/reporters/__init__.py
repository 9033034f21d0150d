"""The same verdict for terminals and machines."""

from gatekeeper.reporters.junit import junit_xml
from gatekeeper.reporters.terminal import print_verdict

__all__ = ["junit_xml", "print_verdict"]
