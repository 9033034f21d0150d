"""A resolved policy as YAML that reads back as the same policy."""

from __future__ import annotations

import yaml

from gatekeeper.errors import UsageError
from gatekeeper.policy.schema import Policy
from gatekeeper.strict_yaml import parse_yaml

_WIDTH = 110


class _Dumper(yaml.SafeDumper):
    """Quotes every text that the strict reader would not give back as it is: ``y``, ``1e3``, ``12:30``."""


def policy_yaml(policy: Policy) -> str:
    """Return a policy as YAML: keys in the schema's order, its digest as a comment on top."""
    plain = policy.model_dump(mode="json", exclude_none=True)
    text: str = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return f"# {policy.digest}\n{text}"


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if _reads_back(text) else '"')


def _reads_back(text: str) -> bool:
    try:
        return parse_yaml(yaml.safe_dump({"text": text}, allow_unicode=True).encode(), "text").data["text"] == text
    except UsageError:
        return False


_Dumper.add_representer(str, _represent_text)
