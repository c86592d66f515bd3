"""The loop over a source's blocks: what it tells of its progress."""

from privkit.engines.sharing import Result
from privkit.engines.stream import Answer, answers, pack_answer, unpack_block
from privkit.io.sources import open_source


def echoing(_spec):
    def handle(packed):
        block = unpack_block(packed)
        return pack_answer(Answer(block.part, block.index, {"rows": block.rows}, b""))

    return handle


def test_progress_is_what_was_done_and_not_what_was_read_ahead(tmp_path, monkeypatch):
    monkeypatch.setattr("privkit.io.compressed.CHUNK_BYTES", 4_096)
    monkeypatch.setattr("privkit.io.compressed._FIRST_BYTES", 4_096)
    path = tmp_path / "a.csv"
    path.write_text("n\n" + "".join(f"{i:07}\n" for i in range(2_048 * 6)))
    source = open_source(path)
    heard = []
    for answer in answers(
        source, f"{__name__}:echoing", b"", workers=1, progress=lambda rows, read: heard.append((rows, read))
    ):
        assert answer.note["rows"] == 2_048
    assert [rows for rows, _ in heard] == [2_048 * (i + 1) for i in range(6)]
    read = [read for _, read in heard]
    assert read == sorted(read)
    assert all(8 * rows <= done <= 8 * rows + 3 * 4_096 for rows, done in heard)
    assert read[-1] == path.stat().st_size


def test_with_workers_too(tmp_path, monkeypatch):
    """The bytes of a block are known when it is cut, however many blocks are cut before it is answered."""
    path = tmp_path / "a.csv"
    path.write_text("n\n" + "".join(f"{i:07}\n" for i in range(2_048 * 12)))
    source = open_source(path)
    consumed = []

    def late(_factory, _spec, works, **_options):
        items = list(works[0].items(0))  # everything is read before anything is answered
        consumed.append(source.consumed)
        for number, item in enumerate(items):
            yield Result(0, number, echoing(b"")(item.data), item.rows, item.read)

    monkeypatch.setattr("privkit.engines.stream.shared", late)
    monkeypatch.setattr("privkit.io.compressed.CHUNK_BYTES", 4_096)
    heard = []
    for _ in answers(source, "", b"", workers=2, progress=lambda _rows, read: heard.append(read)):
        pass
    assert heard[0] < consumed[0] // 2
    assert heard[-1] == consumed[0]
