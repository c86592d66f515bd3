"""What a card says, in which order: the blocks of its page, its Markdown and the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from privkit.model.card import Card, CardStatistic, CardStudy, DeidentifiedRows, FairnessTable, MeasuredDetection
from privkit.model.disclosure import Disclosure
from privkit.report import card_wording as told
from privkit.report import evaluation_wording as measured
from privkit.report import release_wording as words
from privkit.report.blocks import (
    Bar,
    Block,
    Bullets,
    Command,
    Drawing,
    Fact,
    Facts,
    Noise,
    Notice,
    Paragraph,
    Results,
    Section,
    Segment,
    Sheet,
    Sql,
    Tally,
)
from privkit.report.detection_blocks import group_section, measures_sheets
from privkit.report.pictures import beliefs
from privkit.report.wording import number, shown


def sections(card: Card) -> Sequence[Section]:
    """All that a card says below its head."""
    found = [_about(card), _protected(card)]
    if card.statistics:
        found.append(Section("numbers", "The numbers", tuple(_numbers(card)), tuple(_statistics(card))))
    found += [_rows(card), _budget(card), _guarantee(card)]
    if card.studies:
        parts = tuple(_study(place, study) for place, study in enumerate(card.studies, 1))
        found.append(Section("studies", "Joint studies under encryption", (), parts))
    if card.fairness:
        parts = tuple(_fairness(place, table) for place, table in enumerate(card.fairness, 1))
        found.append(Section("fairness", "How evenly the precision falls", (Paragraph(told.FAIRNESS_READ),), parts))
    if any(rows.measured and rows.measured.groups for rows in card.deidentified):
        parts = tuple(_evenly_found(card))
        found.append(Section("found", measured.GROUPS, (Paragraph(measured.GROUPS_READ),), parts))
    if card.statistics:
        parts = tuple(
            Section(f"noise-{place}", told.statistic_heading(place, one), (Noise(one.answer, place),))
            for place, one in enumerate(card.statistics, 1)
        )
        found.append(Section("noise", "How the noise was made", (Paragraph(words.NOISE_READ),), parts))
    return [*found, _made(card), _check(card)]


def _about(card: Card) -> Section:
    about = card.about
    stated = (
        ("Title", about.title),
        ("Why it was collected and is shared", about.purpose),
        ("Good for", about.intended_uses),
        ("Not good for, or not allowed", about.unsuitable_uses),
        ("How, from whom and when it was collected", about.collection),
        ("Rows or people, where that is public", about.rows),
        ("Terms of use", about.license),
        ("Whom to ask", about.contact),
    )
    return Section("about", "What this is, and what it is for", (_facts(*((n, told.stated(t)) for n, t in stated)),))


def _facts(*pairs: tuple[str, str]) -> Facts:
    return Facts(tuple(Fact(name, text) for name, text in pairs))


def _told(sentences: Sequence[str]) -> Bullets:
    return Bullets(tuple(map(told.prose, sentences)) or (told.NOT_STATED,))


# ---- whom it protects


def _protected(card: Card) -> Section:
    guarantee = card.guarantee
    protected, *_ = words.unit_sentences(guarantee.unit)
    blocks: list[Block] = [Paragraph(protected), Paragraph(told.whole_promise(guarantee))]
    blocks.append(Paragraph(told.delta_sentence(guarantee.limit.delta)))
    parts = [Section("beliefs", "What that can do to a belief", tuple(_odds(card)))] if card.odds else []
    parts.append(Section("not-protected", "What is not protected", (_told(guarantee.not_protected),)))
    return Section("protected", "Whom it protects, in plain words", tuple(blocks), tuple(parts))


def _odds(card: Card) -> Iterator[Block]:
    yield Paragraph(told.ODDS_READ)
    sentence = told.odds_sentence(card.odds)
    if sentence:
        yield Paragraph(sentence)
    yield Drawing(beliefs(card.odds), "beliefs-picture")
    rows = tuple(
        (
            told.belief_text(row.prior),
            told.belief_text(row.lowest, up=False),
            told.belief_text(row.highest, up=True),
        )
        for row in card.odds
    )
    headings = ("Believed before", "Afterwards at the least", "Afterwards at the most")
    yield Sheet("Beliefs before and after", headings, rows, right=(1, 2))
    yield Paragraph(
        f"This is for the whole budget of the dataset, {words.limit_text(card.guarantee.limit)}, not for one release: "
        f"{words.percent_text(told.spent_share(card))} of it is spent. δ is left out of the table.",
        soft=True,
    )


# ---- numbers


def _numbers(card: Card) -> Iterator[Block]:
    yield Paragraph(told.NUMBERS_READ)
    yield Paragraph(told.interval_read(card))
    yield Paragraph(words.NOISE_ONLY)
    weak = [told.WEAK_READ] if any(words.has_weak(one.answer) for one in card.statistics) else []
    yield Paragraph(" ".join([told.WITHHELD_READ, *weak]))


def _statistics(card: Card) -> Iterator[Section]:
    for place, one in enumerate(card.statistics, 1):
        yield Section(f"statistic-{place}", told.statistic_heading(place, one), tuple(_statistic(place, one)))


def _statistic(place: int, one: CardStatistic) -> Iterator[Block]:
    answer = one.answer
    yield Sql(answer.sql)
    yield Results(answer, place)
    facts = [
        ("Groups", told.prose(one.groups_from)),
        ("Intervals", f"{words.level_text(answer.confidence)}s, each by itself"),
    ]
    if one.bias:
        facts.append(("Known to be left out or clipped", " ".join(map(told.prose, one.bias))))
    if answer.threshold is not None:
        facts.append(("Rare groups", words.threshold_sentence(answer.threshold, answer.privacy_unit)))
    facts += [("Cost", told.cost_text(one)), ("Ledger entry", f"{number(one.sequence)}, {shown(one.entry)}")]
    yield _facts(*facts)


# ---- rows


def _rows(card: Card) -> Section:
    parts = [_deidentified(place, rows) for place, rows in enumerate(card.deidentified, 1)]
    here = [rows.disclosure for rows in card.deidentified]
    others = [one for one in card.disclosed if one not in here]
    if others:
        parts.append(
            Section(
                "other-rows",
                "Rows that were given out another time",
                (Paragraph("Of the same dataset, beside what this card goes with."),),
                tuple(
                    Section(f"other-rows-{place}", shown(one.what), (Facts(tuple(_disclosure(one))),))
                    for place, one in enumerate(others, 1)
                ),
            )
        )
    if card.local:
        headings = ("Column", "File", "Mechanism", "ε of one value", "Rows of one unit (k)", "ε of all of them (k · ε)")
        sheet = Sheet(
            "Local mechanisms", headings, tuple(tuple(told.local_row(one)) for one in card.local), right=(3, 4, 5)
        )
        protects = Bullets(tuple(map(told.local_sentence, card.local)))
        parts.append(
            Section("local", "Columns with noise of their own", (Paragraph(told.LOCAL_APART), sheet, protects))
        )
    first = (
        Notice(told.NO_GUARANTEE) if card.disclosed or here else Paragraph("No rows of this dataset were given out.")
    )
    return Section("rows", "Rows that were given out", (first,), tuple(parts))


def _deidentified(place: int, rows: DeidentifiedRows) -> Section:
    facts = list(_disclosure(rows.disclosure))
    facts.append(Fact("Rows", "not on this card" if rows.rows is None else number(rows.rows)))
    facts.append(Fact("What the models are known to find", told.stated(rows.recall)))
    blocks: list[Block] = [Facts(tuple(facts))]
    if rows.columns:
        blocks.append(Paragraph(told.OPERATORS_READ, soft=True))
        blocks.append(
            Tally("Columns by what became of them", tuple(told.operators(rows.columns)), f"operators-{place}")
        )
        blocks.append(_columns(rows))
        blocks.append(Paragraph(told.roles_sentence(rows.columns), soft=True))
    if rows.models:
        models = tuple((shown(one.name), shown(one.version), shown(one.sha256)) for one in rows.models)
        headings = ("Model", "Version", "SHA-256 of its weights")
        blocks.append(Sheet(f"Models that looked for names in file {place}", headings, models, code=(2,)))
    parts = () if rows.measured is None else (_measured(place, rows.disclosure.what, rows.measured),)
    return Section(f"rows-{place}", shown(rows.disclosure.what), tuple(blocks), parts)


def _measured(place: int, what: str, found: MeasuredDetection) -> Section:
    """How well the rows' detector finds people, as `privkit evaluate` measured it."""
    facts = (
        Fact("Annotated data", measured.data_text(found)),
        Fact("SHA-256 of it", found.source_sha256, code=True),
        Fact("SHA-256 of the measurement", found.evaluation_sha256, code=True),
    )
    rows = [*found.entities.items(), ("all", found.overall)]
    return Section(
        f"measured-{place}",
        "How well people are found",
        (
            Paragraph(measured.CARD_READ),
            *measures_sheets(f"Detection measured for {shown(what)}", rows),
            Facts(facts),
            Bullets(measured.DEFINITIONS),
        ),
    )


def _evenly_found(card: Card) -> Iterator[Section]:
    tables = [(rows, groups) for rows in card.deidentified if rows.measured for groups in rows.measured.groups]
    several = sum(bool(rows.measured and rows.measured.groups) for rows in card.deidentified) > 1
    for place, (rows, groups) in enumerate(tables, 1):
        yield group_section(place, groups, "found", rows.disclosure.what if several else "")


def _columns(rows: DeidentifiedRows) -> Sheet:
    counted = any(column.changed is not None for column in rows.columns)
    headings = ("Column", "Role", "Entity", "What became of it", *(["Cells changed"] if counted else []))
    lines = (
        (
            shown(column.name),
            told.role_text(column.role),
            shown(column.entity or "–"),
            told.operator_text(column),
            *(["–" if column.changed is None else number(column.changed)] if counted else []),
        )
        for column in rows.columns
    )
    return Sheet(f"Columns of {shown(rows.disclosure.what)}", headings, tuple(lines), right=(4,) if counted else ())


def _disclosure(one: Disclosure) -> Iterator[Fact]:
    yield Fact("Given out", f"{words.when(one.time)}, data version {shown(one.version)}")
    yield Fact("Approved by", told.prose(one.approved_by))
    yield Fact("Policy", shown(one.policy))
    yield Fact("SHA-256 of the policy", shown(one.policy_sha256), code=True)
    yield Fact("Detector", shown(one.detector))
    yield Fact("Key", told.key_text(one))
    yield Fact("A second look still found", told.residual_text(one))


# ---- budget and guarantee


def _budget(card: Card) -> Section:
    measure, account = card.guarantee.measure, card.accounting
    before, this, left = words.counted(account.before, measure), told.this_cost(card), told.left(card)
    whole = before + this + left or Decimal(1)
    amounts = (("Spent before", before, "before"), ("Spent with this card", this, "this"), ("Left", left, "left"))
    parts = tuple(
        Segment(
            name,
            f"{told.counted_text(card, amount, up=style != 'left')}, {words.percent_text(amount / whole)}",
            float(amount / whole),
            style,
        )
        for name, amount, style in amounts
    )
    bar = Bar("The budget: what is spent and what is left", parts, "budget-bar")
    others = told.others_sentence(card)
    facts = [
        Fact("The limit", words.limit_text(card.guarantee.limit)),
        Fact("Spent before", words.loss_text(account.before)),
        Fact("Spent after", words.loss_text(account.after)),
        Fact("Entries of the ledger", number(account.entries)),
        Fact("Hash of the last one", account.head, code=True),
        Fact("The ledger's file", shown(account.ledger) if account.ledger else "not beside this card"),
    ]
    blocks: list[Block] = [
        bar,
        *([Paragraph(others)] if others else []),
        Paragraph(told.counting_sentence(card), soft=True),
    ]
    if account.high_loss:
        blocks.append(Notice(words.high_loss_sentence(told.prose(account.high_loss))))
    return Section("budget", "The privacy budget", (*blocks, Facts(tuple(facts))))


def _guarantee(card: Card) -> Section:
    guarantee = card.guarantee
    return Section(
        "guarantee",
        "The guarantee, exactly",
        (
            _facts(
                ("All releases together, for ever", words.limit_text(guarantee.limit)),
                ("Counted as", words.measure_text(guarantee.measure)),
                ("Privacy unit", words.unit_text(guarantee.unit)),
                ("Bounds", told.bounds_text(guarantee)),
                ("How they are enforced", told.prose(guarantee.enforced)),
                ("Neighbouring tables", told.prose(guarantee.neighbours)),
                ("Trust", told.trust_text(guarantee)),
                (
                    "Covers",
                    "the statistics alone: rows were given out too"
                    if told.statement(card)
                    else "all that was given out through this ledger",
                ),
            ),
        ),
    )


# ---- studies and fairness


def _study(place: int, study: CardStudy) -> Section:
    roster = [
        (shown(one.name), "this dataset" if one.name == study.party else "party", one.public) for one in study.parties
    ]
    roster.append((shown(study.key_holder.name), "key holder: decrypts the sum", study.key_holder.public))
    return Section(
        f"study-{place}",
        shown(study.study),
        (
            _facts(
                ("This dataset took part as", shown(study.party)),
                ("Cost, part of this dataset's budget", told.study_cost_text(study)),
                ("Noise", told.study_noise_text(study)),
                ("Encryption", ", ".join(map(shown, study.parameters)) or "not recorded"),
                ("Session", shown(study.session)),
            ),
            Sheet(
                f"Who took part in {shown(study.study)}", ("Name", "Role", "Public identity"), tuple(roster), code=(2,)
            ),
            Paragraph("Who would have to work together to see more:"),
            _told(study.collusion),
            Paragraph("What was asked:"),
            *map(Sql, study.statistics),
        ),
    )


def _fairness(place: int, table: FairnessTable) -> Section:
    rows = tuple((shown(one.group), told.relative_text(one), number(one.values)) for one in table.groups)
    headings = (shown(table.attribute), "Half the interval's width, of the value", "Values")
    name = f"{place}. {shown(table.statistic)} by {shown(table.attribute)}"
    return Section(
        f"fairness-{place}",
        name,
        (
            *([Notice(told.prose(table.warning))] if table.warning else []),
            Sheet(f"Precision of {name}", headings, rows, right=(1, 2)),
            Paragraph(told.ratio_sentence(table.ratio), soft=True),
            Sql(table.sql),
        ),
    )


# ---- how it was made, and how to check it


def _made(card: Card) -> Section:
    made = card.implementation
    declared = [(shown(name), words.declaration_text(column)) for name, column in card.declared.items()]
    software = [(shown(name), shown(version)) for name, version in made.software.items()]
    return Section(
        "made",
        "How it was computed",
        (
            _facts(
                ("Randomness", told.prose(made.randomness)),
                ("Floating point", told.prose(made.floating_point)),
                ("Timing", told.prose(made.timing)),
            ),
        ),
        (
            *([Section("declared", "What was declared about the columns", (_facts(*declared),))] if declared else []),
            *([Section("software", "Software", (_facts(*software),))] if software else []),
        ),
    )


def _check(card: Card) -> Section:
    blocks: list[Block] = []
    if card.files:
        rows = tuple(
            (shown(one.path), "not on this card" if one.bytes is None else number(one.bytes), one.sha256)
            for one in card.files
        )
        blocks.append(Sheet("Files", ("File", "Bytes", "SHA-256"), rows, code=(2,), right=(1,)))
    if card.signature is None:
        blocks.append(Notice(told.UNSIGNED))
    facts = [Fact("Card", shown(card.id), code=True), Fact("Form", card.format)]
    facts.append(Fact("SHA-256 of the card before it", card.previous, code=True) if card.previous else _first())
    if card.signer is not None:
        facts.append(Fact("Signed by, in their own words", told.prose(card.signer)))
    if card.public is not None:
        print_ = told.fingerprint(card.public)
        facts.append(Fact("Public identity", shown(card.public), code=True))
        facts.append(Fact("Its fingerprint", print_ or "none: this is no public identity", code=print_ is not None))
    if card.signature is not None:
        facts.append(Fact("Signature (Ed25519)", shown(card.signature), code=True))
    blocks += [Facts(tuple(facts)), Paragraph("Check it with:"), Command(told.verify_command(card))]
    if card.public is not None:
        blocks.append(Paragraph(told.SIGNER_READ))
    blocks.append(Paragraph(told.PAGE_IS_NO_PROOF, soft=True))
    return Section("check", "How to check this card", tuple(blocks))


def _first() -> Fact:
    return Fact("The card before it", "none is named")
