"""A corpus of broken policies: one edit of a sound one each, the code it must get, and the line that is to blame."""

from __future__ import annotations

from dataclasses import dataclass

from made_up_bench import POLICY

from gatekeeper.errors import Code

_BASIS = "basis: {source: made up, status: project_choice}"
_SENSITIVITY = "    metric: sensitivity\n    lower_limit: {at_least: 30 %}\n"


@dataclass(frozen=True)
class Broken:
    """``old`` becomes ``new``; the error stands in the first line that holds ``at`` (None: the file as a whole)."""

    old: str
    new: str
    code: Code
    at: str | None
    mend: str | None = None

    @property
    def text(self) -> str:
        assert self.old in POLICY, self.old
        return POLICY.replace(self.old, self.new, 1)

    @property
    def line(self) -> int | None:
        return None if self.at is None else self.text[: self.text.index(self.at)].count("\n") + 1


def _first(old: str, new: str, code: Code, mend: str | None = None) -> Broken:
    """Break one line so that the line itself is to blame."""
    return Broken(old, new, code, new.strip().splitlines()[0], mend)


def _option(line: str, code: Code, mend: str | None = None) -> Broken:
    """Add an option to the requirement on sensitivity, which is to blame."""
    return Broken(_SENSITIVITY, f"{_SENSITIVITY}    {line}\n", code, f"    {line.partition(':')[0]}:", mend)


def _more(line: str, code: Code, mend: str | None = None) -> Broken:
    """Add a key to the end of the policy, which is to blame."""
    return Broken("latency: {", f"{line}\nlatency: {{", code, line, mend)


BROKEN = {
    # Keys that nobody knows, at every level.
    "misspelt key at the top": _first("title:", "titel:", Code.UNKNOWN_KEY, "title"),
    "misspelt key of the context": _first("  modality:", "  modalty:", Code.UNKNOWN_KEY, "modality"),
    "misspelt key of a requirement": _first("    level: R0", "    levle: R0", Code.UNKNOWN_KEY, "level"),
    "misspelt key of a limit": _first("{at_least: 30 %}", "{at_leest: 30 %}", Code.UNKNOWN_KEY, "at_least"),
    "misspelt key of a basis": _first("{source: made up,", "{sauce: made up,", Code.UNKNOWN_KEY, "source"),
    "misspelt key of the latency protocol": _first("timed_calls:", "timed_cals:", Code.UNKNOWN_KEY, "timed_calls"),
    "misspelt key of the subgroups": _first("min_cases:", "min_case:", Code.UNKNOWN_KEY, "min_cases"),
    "misspelt key of a prevalence": Broken(
        "  unit: disc\n",
        f"  unit: disc\n  prevalence: {{valu: 10 %, {_BASIS}}}\n",
        Code.UNKNOWN_KEY,
        "valu:",
        "value",
    ),
    "misspelt key of a prevalence's basis": Broken(
        "  unit: disc\n",
        "  unit: disc\n  prevalence: {value: 10 %, basis: {source: x, state: verified}}\n",
        Code.UNKNOWN_KEY,
        "prevalence",
        "status",
    ),
    "key that is nothing like any": _first("title:", "zzz: 1\ntitle:", Code.UNKNOWN_KEY, "known here"),
    "key in another case": _first("title:", "Title:", Code.UNKNOWN_KEY, "title"),
    # Names that nobody knows.
    "misspelt metric": _first("metric: precision", "metric: precison", Code.UNKNOWN_NAME, "precision"),
    "misspelt alias of a metric": _first("metric: precision", "metric: pvp", Code.UNKNOWN_NAME),
    "no metric at all like it": _first(
        "metric: precision", "metric: zzz", Code.UNKNOWN_NAME, "gatekeeper policy metrics"
    ),
    "misspelt perturbation of a ladder": _first(
        "robustness: {contour_erosion:", "robustness: {contour_erosoin:", Code.UNKNOWN_NAME, "contour_erosion"
    ),
    "misspelt perturbation of a requirement": _first(
        "perturbation: contour_erosion", "perturbation: contour_errosion", Code.UNKNOWN_NAME, "contour_erosion"
    ),
    "subgroups of a requirement that is not there": _first(
        "requirements: [sensitivity]", "requirements: [sensitivty]", Code.UNKNOWN_NAME, "sensitivity"
    ),
    "order with a requirement that is not there": Broken(
        "order: [sensitivity,", "order: [zzz, sensitivity,", Code.UNKNOWN_NAME, "zzz", "known: "
    ),
    # Keys that are missing.
    "no id": Broken("id: made_up_discs\n", "", Code.MISSING_KEY, None, 'add "id:"'),
    "no version": Broken('version: "1.0.0"\n', "", Code.MISSING_KEY, None),
    "no title": Broken("title: Discs, made up for tests\n", "", Code.MISSING_KEY, None),
    "no intended use": Broken(
        "  intended_use: Tests of the gate. Not for clinical use.\n", "", Code.MISSING_KEY, "context"
    ),
    "no modality": Broken("  modality: CT\n", "", Code.MISSING_KEY, "context:"),
    "no metric": Broken("    metric: sensitivity\n", "", Code.MISSING_KEY, "  sensitivity:"),
    "no source": Broken("{source: made up, status", "{status", Code.MISSING_KEY, "basis: {status"),
    "no order": Broken(
        "order: [sensitivity, specificity,", "notes: [sensitivity, specificity,", Code.MISSING_KEY, None
    ),
    "subgroups by nothing": Broken("by: [site], ", "", Code.MISSING_KEY, "subgroups"),
    # Values of another type, or out of bounds.
    "a number for a text": _first("title: Discs, made up for tests", "title: 3", Code.BAD_VALUE),
    "an empty text": _first("title: Discs, made up for tests", 'title: ""', Code.BAD_VALUE),
    "control characters in a text": _first("title: Discs", 'title: "a\\x1bb" #', Code.BAD_VALUE),
    "a text for a list": _first("by: [site]", "by: site", Code.BAD_VALUE),
    "an empty list": _first("by: [site]", "by: []", Code.BAD_VALUE),
    "a list for a mapping": _first("latency: {warm_up_calls: 2, timed_calls: 100}", "latency: [1]", Code.BAD_VALUE),
    "nothing for a mapping": _first("latency: {warm_up_calls: 2, timed_calls: 100}", "latency:", Code.BAD_VALUE),
    "a fraction for a count": _first("timed_calls: 100", "timed_calls: 1.5", Code.BAD_VALUE),
    "no calls": _first("timed_calls: 100", "timed_calls: 0", Code.BAD_VALUE),
    "calls beyond counting": _first("timed_calls: 100", "timed_calls: 100000000000000000000", Code.BAD_VALUE),
    "calls below none": _first("warm_up_calls: 2", "warm_up_calls: -1", Code.BAD_VALUE),
    "a text for true": _first("    level: R0", '    blocking: "true"\n    level: R0', Code.BAD_VALUE),
    "a modality that nobody has": _first("modality: CT", "modality: CAT", Code.BAD_VALUE),
    "a task that nobody has": _first("task: classification", "task: prognosis", Code.BAD_VALUE),
    "a task without what it measures": Broken(
        "task: classification", "task: segmentation", Code.BAD_VALUE, "context:", "structures"
    ),
    "a status that nobody has": _first("status: project_choice", "status: guessed", Code.BAD_VALUE),
    "a level that nobody has": _first("level: R0", "level: R9", Code.BAD_VALUE),
    "a version without its patch": _first('version: "1.0.0"', 'version: "1.0"', Code.BAD_VALUE),
    "a version as a number": _first('version: "1.0.0"', "version: 1.1", Code.BAD_VALUE),
    "an id with a blank": _first("id: made_up_discs", "id: made up discs", Code.BAD_VALUE),
    "a requirement's id with a blank": _first("  rerun:", "  re run:", Code.BAD_VALUE),
    "a confidence of one": _first("    level: R0", "    confidence: 1\n    level: R0", Code.BAD_VALUE),
    "a percentile of 100": _first("percentile: 95", "percentile: 100", Code.BAD_VALUE),
    "true for a quantity": _first("{at_least: 30 %}", "{at_least: true}", Code.BAD_VALUE),
    "a list for a quantity": _first("{at_least: 30 %}", "{at_least: [30 %]}", Code.BAD_VALUE),
    "infinity by a large exponent": _first("{at_least: 30 %}", "{at_least: 1e999}", Code.BAD_VALUE),
    "a number of 400 digits": _first("{at_least: 30 %}", "{at_least: 1" + "0" * 400 + "}", Code.BAD_VALUE),
    "seconds beyond counting": _first("{at_most: 60 s}", "{at_most: 1e999 s}", Code.BAD_VALUE),
    # Well formed, but without meaning.
    "a bare number for seconds": _first("{at_most: 60 s}", "{at_most: 60}", Code.BAD_VALUE),
    "millimetres for seconds": _first("{at_most: 60 s}", "{at_most: 60 mm}", Code.BAD_VALUE),
    "a word for seconds": _first("{at_most: 60 s}", "{at_most: soon}", Code.BAD_VALUE),
    "a share above one": _first("{at_least: 30 %}", "{at_least: 130 %}", Code.BAD_VALUE),
    "a share below zero": _first("{at_least: 30 %}", "{at_least: -0.1}", Code.BAD_VALUE),
    "at least on a metric where less is better": _first(
        "estimate: {at_most: 0}", "estimate: {at_least: 0}", Code.BAD_VALUE
    ),
    "at most on a metric where more is better": _first(
        "lower_limit: {at_least: 30 %}", "estimate: {at_most: 30 %}", Code.BAD_VALUE
    ),
    "a lower limit that is at most": _first("lower_limit: {at_least:", "lower_limit: {at_most:", Code.BAD_VALUE),
    "an upper limit that is at least": _first("upper_limit: {at_most:", "upper_limit: {at_least:", Code.BAD_VALUE),
    "two limits": Broken(
        "lower_limit: {at_least: 30 %}\n",
        "lower_limit: {at_least: 30 %}\n    estimate: {at_least: 30 %}\n",
        Code.BAD_VALUE,
        "estimate: {at_least: 30 %}",
    ),
    "no limit": Broken("    lower_limit: {at_least: 30 %}\n", "", Code.BAD_VALUE, "  sensitivity:"),
    "two sides of one limit": _first("{at_least: 30 %}", "{at_least: 30 %, at_most: 40 %}", Code.BAD_VALUE),
    "a limit without a side": _first("{at_least: 30 %}", "{}", Code.BAD_VALUE),
    "a percentile for a proportion": _first(
        "    metric: sensitivity", "    percentile: 95\n    metric: sensitivity", Code.BAD_VALUE, "remove it"
    ),
    "no percentile for a time": Broken("    percentile: 95\n", "", Code.BAD_VALUE, "  time:", 'add "percentile:"'),
    "no level for a repeatability": Broken("    level: R4\n", "", Code.BAD_VALUE, "  flips:", 'add "level:"'),
    "a prevalence of all": _first("at_prevalence: 20 %", "at_prevalence: 100 %", Code.BAD_VALUE),
    "a prevalence in seconds": _first("at_prevalence: 20 %", "at_prevalence: 20 s", Code.BAD_VALUE),
    "a ladder that goes down": _first("[0.75 mm, 6 mm]", "[6 mm, 0.75 mm]", Code.BAD_VALUE),
    "a ladder with a step twice": _first("[0.75 mm, 6 mm]", "[6 mm, 6 mm]", Code.BAD_VALUE),
    "a ladder without steps": _first("[0.75 mm, 6 mm]", "[]", Code.BAD_VALUE),
    "a step without a unit": _first("[0.75 mm, 6 mm]", "[0.75, 6 mm]", Code.BAD_VALUE),
    "a step that changes nothing": _first("[0.75 mm, 6 mm]", "[0 mm, 6 mm]", Code.BAD_VALUE),
    "a step beyond the perturbation": _first("[0.75 mm, 6 mm]", "[0.75 mm, 6000 mm]", Code.BAD_VALUE),
    "no ladder for a requirement": _first("contour_erosion\n", "contour_dilation\n", Code.BAD_VALUE, "add its ladder"),
    "a severity beyond the ladder": Broken(
        "    metric: breaking_point\n    of: sensitivity\n    perturbation: contour_erosion\n"
        "    estimate: {at_least: 1}\n",
        "    metric: performance_drop\n    of: sensitivity\n    perturbation: contour_erosion\n    severity: 3\n"
        "    upper_limit: {at_most: 10 %}\n",
        Code.BAD_VALUE,
        "severity: 3",
    ),
    "a breaking point that no ladder reaches": _first(
        "estimate: {at_least: 1}", "estimate: {at_least: 4}", Code.BAD_VALUE
    ),
    "a stress on no performance requirement": _first("of: sensitivity", "of: rerun", Code.BAD_VALUE),
    "a stress on itself": _first("of: sensitivity", "of: breaking", Code.BAD_VALUE),
    "a stress on what is not there": _first("of: sensitivity", "of: sensitivty", Code.BAD_VALUE),
    "order without a blocking requirement": _first(
        "order: [sensitivity, specificity,", "order: [specificity,", Code.BAD_VALUE, 'add "sensitivity"'
    ),
    "order with a requirement twice": _first(
        "order: [sensitivity,", "order: [sensitivity, sensitivity,", Code.BAD_VALUE
    ),
    "order with an advisory requirement": Broken(
        "    level: R0\n", "    level: R0\n    blocking: false\n", Code.BAD_VALUE, "order:"
    ),
    "a gap of what is not looked at": _first(
        "requirements: [sensitivity]", "requirements: [sensitivity], largest_gap: {time: 1 ms}", Code.UNKNOWN_NAME
    ),
    "a gap of nothing": _first(
        "requirements: [sensitivity]", "requirements: [sensitivity], largest_gap: {sensitivity: 0}", Code.BAD_VALUE
    ),
    "a gap in another unit": _first(
        "requirements: [sensitivity]", "requirements: [sensitivity], largest_gap: {sensitivity: 1 ms}", Code.BAD_VALUE
    ),
    # YAML that is something else than it looks, and what belongs to Hydra.
    "no YAML": _first("title: Discs, made up", "title: Discs: made up", Code.BAD_SYNTAX),
    "a tab": Broken("  modality: CT", "\tmodality: CT", Code.BAD_SYNTAX, "\tmodality"),
    "a key twice": Broken("title: Discs", "id: twice\ntitle: Discs", Code.DUPLICATE, "id: twice"),
    "a requirement twice": Broken("  flips:", "  rerun:", Code.DUPLICATE, "  rerun:\n    metric: flip_rate"),
    "a truth that is none": _first("    level: R0", "    blocking: yes\n    level: R0", Code.BAD_VALUE),
    "a tag": _first("title: Discs", "title: !!str Discs", Code.FORBIDDEN),
    "a tag that makes an object": _first("title: Discs", "title: !!python/name:os.system Discs", Code.FORBIDDEN),
    "an anchor": _first("title: Discs", "title: &name Discs", Code.FORBIDDEN),
    "an interpolation": _first("title: Discs, made up for tests", "title: ${oc.env:HOME}", Code.FORBIDDEN),
    "a value still to be given": _first("title: Discs, made up for tests", "title: ???", Code.BAD_VALUE),
    "a target": _first("title: Discs", "_target_: os.system\ntitle: Discs", Code.FORBIDDEN),
    "a target deep down": _first("    level: R0", "    _target_: os.system\n    level: R0", Code.FORBIDDEN),
    "a key of Hydra": _first("title: Discs", "hydra: {run: {dir: /}}\ntitle: Discs", Code.FORBIDDEN),
    "a layer above the folder": _first("id: made_up", "defaults: [../x]\nid: made_up", Code.FORBIDDEN),
    "a layer by its path": _first("id: made_up", "defaults: [/etc/passwd]\nid: made_up", Code.FORBIDDEN),
    "a layer that is a mapping": _first("id: made_up", "defaults: [{base: x}]\nid: made_up", Code.FORBIDDEN),
    "layers that are nothing": _first("id: made_up", "defaults:\nid: made_up", Code.FORBIDDEN),
    "a layer that is not there": Broken(
        "id: made_up", "defaults:\n  - base/repeatabel\nid: made_up", Code.UNKNOWN_NAME, "- base/r", "base/repeatable"
    ),
    "a layer of Hydra's own": Broken(
        "id: made_up", "defaults: [hydra/default]\nid: made_up", Code.UNKNOWN_NAME, "defaults"
    ),
    "a file of another tool": Broken(POLICY, "- a\n- list\n", Code.BAD_SYNTAX, None),
    "an empty file": Broken(POLICY, "", Code.BAD_SYNTAX, None),
    # What a requirement, and what the rest of the grown policy, may hold.
    "a declared prevalence that nobody declares": _first(
        "at_prevalence: 20 %", "at_prevalence: declared", Code.BAD_VALUE
    ),
    "a word for a prevalence": _first("at_prevalence: 20 %", "at_prevalence: usual", Code.BAD_VALUE),
    "an interval at a prevalence": _first(
        "    at_prevalence: 20 %", "    interval: wilson\n    at_prevalence: 20 %", Code.BAD_VALUE, "remove it"
    ),
    "an interval that nobody knows": _option("interval: walson", Code.BAD_VALUE),
    "an interval on what is no share": Broken(
        "    level: R0\n", "    level: R0\n    interval: wilson\n", Code.BAD_VALUE, "    interval", "remove it"
    ),
    "an operating point of all": _option("at_specificity: 100 %", Code.BAD_VALUE),
    "an operating point in seconds": _option("at_specificity: 5 s", Code.BAD_VALUE),
    "a metric at itself": _option("at_sensitivity: 90 %", Code.BAD_VALUE),
    "a tolerance for a share": _option("tolerance: 2 mm", Code.BAD_VALUE, "remove it"),
    "a structure that the task has not": _option("structure: liver", Code.BAD_VALUE),
    "a stage of a share": _option("stage: end_to_end", Code.BAD_VALUE, "remove it"),
    "a stage that nobody has": _first("    percentile: 95", "    stage: later\n    percentile: 95", Code.BAD_VALUE),
    "a level for a share": _option("level: R4", Code.BAD_VALUE, "remove it"),
    "a numeric format for a share": _option("numeric_format: bf16", Code.BAD_VALUE, "remove it"),
    "a numeric format without its level": _first(
        "    level: R4", "    numeric_format: bf16\n    level: R4", Code.BAD_VALUE, "R2"
    ),
    "a numeric format that nobody has": _first(
        "    level: R4", "    numeric_format: int4\n    level: R2", Code.BAD_VALUE
    ),
    "a level beyond the ladder": _first("    level: R4", "    level: R5", Code.BAD_VALUE),
    "false positives per case for a share": _option("at_false_positives_per_case: 2", Code.BAD_VALUE, "remove it"),
    "a metric of another task": _first("    metric: specificity", "    metric: dice", Code.BAD_VALUE),
    "a relaxation without a reason": _option("relaxes: {by: QA}", Code.MISSING_KEY),
    "a relaxation without a person": _option("relaxes: {why: x}", Code.MISSING_KEY),
    "a hazard as a number": _option("hazard: 1", Code.BAD_VALUE),
    "an empty clause": _option('clause: ""', Code.BAD_VALUE),
    "an estimate of nothing": _first("    estimate: {at_most: 0}", "    estimate: {at_most: }", Code.BAD_VALUE),
    "classes of two": Broken("  positive: large", "  positive: large\n  classes: [a, b]", Code.BAD_VALUE, "classes"),
    "structures twice": Broken("  unit: disc", "  structures: [a, a]\n  unit: disc", Code.BAD_VALUE, "structures"),
    "a task that lacks its structures": Broken(
        "  task: classification", "  task: segmentation", Code.BAD_VALUE, "context:"
    ),
    "no positive": Broken("  positive: large\n", "", Code.BAD_VALUE, "context:", "positive"),
    "refusals that nothing is required of": _more("refusals: [blank]", Code.BAD_VALUE, "refusal_rate"),
    "a refusal that nobody knows": _more("refusals: [blanc]", Code.BAD_VALUE),
    "a failure that costs nothing": _more("failure_costs: {crash: nothing}", Code.BAD_VALUE),
    "a failure that nobody knows": _more("failure_costs: {crush: wrong}", Code.UNKNOWN_KEY, "crash"),
    "an empty prediction that counts as right": _more("failure_costs: {empty_prediction: positive}", Code.BAD_VALUE),
    "a multiplicity that nobody has": _more("multiplicity: bonferoni", Code.BAD_VALUE),
    "a test set for no release": _more("test_set_use: {max_release_evaluations: 0}", Code.BAD_VALUE),
    "a test set without a limit": _more("test_set_use: {}", Code.MISSING_KEY),
    "a champion of nothing": _more("champion: {not_inferior: {}}", Code.BAD_VALUE),
    "a margin of none": _more("champion: {not_inferior: {sensitivity: {margin: 0}}}", Code.BAD_VALUE),
    "a margin in another unit": _more("champion: {not_inferior: {sensitivity: {margin: 5 s}}}", Code.BAD_VALUE),
    "a margin of what is not required": _more(
        "champion: {not_inferior: {sensitivty: {margin: 5 %}}}", Code.UNKNOWN_NAME
    ),
    "a window of no cases": _more("monitoring: {window_cases: 0}", Code.BAD_VALUE),
    "a window of what is not required": _more("monitoring: {window_cases: 9, requirements: [x]}", Code.UNKNOWN_NAME),
    "an index of none": _more("monitoring: {window_cases: 9, max_score_psi: 0}", Code.BAD_VALUE),
    "a waiver of what is not required": _more(
        'waivers: [{requirement: flip, reason: x, by: QA, expires: "2027-01-01"}]', Code.UNKNOWN_NAME, "flips"
    ),
    "a waiver without a reason": _more(
        'waivers: [{requirement: flips, by: QA, expires: "2027-01-01"}]', Code.MISSING_KEY
    ),
    "a waiver without an end": _more("waivers: [{requirement: flips, reason: x, by: QA}]", Code.MISSING_KEY),
    "a waiver to a day that is none": _more(
        'waivers: [{requirement: flips, reason: x, by: QA, expires: "2027-02-30"}]', Code.BAD_VALUE
    ),
    "a waiver to a day without quotes": _more(
        "waivers: [{requirement: flips, reason: x, by: QA, expires: 2027-01-01}]", Code.BAD_VALUE, "quote it"
    ),
    "a waiver twice": _more(
        "waivers: [" + ", ".join(['{requirement: flips, reason: x, by: QA, expires: "2027-01-01"}'] * 2) + "]",
        Code.BAD_VALUE,
        "keep one of the two",
    ),
    "expected groups of what is not looked at": _first(
        "subgroups: {by: [site],", "subgroups: {by: [site], expected: {sit: [north]},", Code.UNKNOWN_NAME, "site"
    ),
    "no expected group": _first(
        "subgroups: {by: [site],", "subgroups: {by: [site], expected: {site: []},", Code.BAD_VALUE
    ),
    "small groups that pass": _first(
        "subgroups: {by: [site],", "subgroups: {by: [site], too_small: met,", Code.BAD_VALUE
    ),
    # What YAML makes of plain text.
    "a country that is a truth": _first("  body_part: CHEST", "  body_part: NO", Code.BAD_VALUE, "quote it"),
    "a time that is a number": _first("  unit: disc", "  unit: 1:30", Code.BAD_VALUE, "quote it"),
    "an octal number": _first("timed_calls: 100", "timed_calls: 0100", Code.BAD_VALUE),
    "a number with underscores": _first("timed_calls: 100", "timed_calls: 1_00", Code.BAD_VALUE),
    "not a number": _first("at_prevalence: 20 %", "at_prevalence: .nan", Code.BAD_VALUE),
    "infinity": _first("at_prevalence: 20 %", "at_prevalence: .inf", Code.BAD_VALUE),
    "a merge key": _first("    level: R0", "    <<: {level: R0}", Code.FORBIDDEN),
    "a key that is a number": _first("  rerun:", "  1:", Code.BAD_SYNTAX),
    "a key that is a list": _first("title: Discs, made up for tests", "[title]: Discs", Code.BAD_SYNTAX),
    "a key that is nothing": _first("title: Discs, made up for tests", "null: Discs", Code.BAD_SYNTAX),
    "a second document": _first("requirements:\n", "---\nrequirements:\n", Code.BAD_SYNTAX),
    "text that is turned round": _first("title: Discs", "title: Di\u202escs", Code.BAD_SYNTAX),
    "a blank without width": _first("title: Discs", "ti\u200btle: Discs", Code.BAD_SYNTAX),
    "a letter that looks like another": _first("title: Discs", "tit\u0131e: Discs", Code.UNKNOWN_KEY, "title"),
    "an escape that hides a character": _first(
        "title: Discs, made up for tests", 'title: "Di\\u202Escs"', Code.BAD_VALUE
    ),
    "a resolver": _first("title: Discs, made up for tests", "title: ${oc.env:HOME}", Code.FORBIDDEN),
    "an alias bomb": Broken(POLICY, "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", Code.FORBIDDEN, "a: &a"),
    "a nest without end": Broken(POLICY, "a: " + "[" * 400 + "]" * 400 + "\n", Code.BAD_SYNTAX, "a: ["),
    "a file of one long line": Broken(POLICY, "title: " + "x" * 300_000 + "\n", Code.BAD_SYNTAX, None),
    "more keys than anybody writes": Broken(
        POLICY, "".join(f"k{number}: x\n" for number in range(11_000)), Code.BAD_SYNTAX, "k4999: x"
    ),
}
