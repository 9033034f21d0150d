"""The workflow: on every change of model, policy or lock, the gate decides."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from gatekeeper.errors import Code, UsageError
from gatekeeper.starting.notation import quoted

PLACEHOLDER = "OWNER/gatekeeper@SHA"
_ACTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.-]{1,100}@[0-9a-f]{40}")
_CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"


def check_action(action: str) -> None:
    """Refuse what is no repository at a commit: a branch or a tag can be moved. Raises UsageError."""
    if action != PLACEHOLDER and not _ACTION.fullmatch(action):
        raise UsageError(
            Code.BAD_VALUE,
            "the action is not named by repository and commit",
            where=f"--action {action[:160]}",
            mend="write OWNER/REPOSITORY@ and the 40 hexadecimal digits of a commit",
        )


def workflow_yaml(policy: PurePosixPath, candidate: PurePosixPath, testset: PurePosixPath, action: str) -> str:
    """Return the workflow. All paths are relative to the repository's root."""
    repository, _, commit = action.partition("@")
    watched = sorted({f"{candidate.parent}/**" if candidate.parent.name else str(candidate), str(policy), str(testset)})
    hint = " Put its owner and the commit in place of OWNER and SHA." if commit == "SHA" else ""
    paths = "".join(f"      - {quoted(path)}\n" for path in [*watched, ".github/workflows/model-release.yml"])
    return f"""\
# No model is released without a dossier: what changes the model, the policy or the lock goes through the gate.
name: Model release
on:
  pull_request:
    paths:
{paths}\
  workflow_dispatch:

permissions: {{}}

concurrency:
  group: model-release-${{{{ github.ref }}}}
  cancel-in-progress: true

jobs:
  gate:
    # The images of patients are in no repository. A runner of your own has them, below the folder that `root:` in
    # gatekeeper.yaml names: runs-on: [self-hosted, gpu].
    runs-on: ubuntu-24.04
    permissions:
      contents: read  # nothing here may write, and no secret is given: a model is somebody's code
    steps:
      - uses: {_CHECKOUT} # v5.0.0
        with:
          persist-credentials: false
      # A commit, since a tag can be moved.{hint}
      - uses: {repository}/.github/actions/gatekeeper@{commit}
        with:
          policy: {quoted(str(policy))}
          candidate: {quoted(str(candidate))}
          testset: {quoted(str(testset))}
          # The root certificate that the lock was signed under, and settings of the run, one a line:
          #trust: root.pem
          #overrides: engine.device=cuda
          inconclusive: block  # or warn: too few cases then do not stop the pipeline, and release nothing
"""
