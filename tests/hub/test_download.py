"""Downloads when nothing goes wrong: resuming, stopping in every state, several parts and connections."""

from __future__ import annotations

import threading

import pytest

from app.core.errors import DownloadBusyError, DownloadError
from app.core.library import DownloadState, RemoteFile, Wanted
from app.core.stopping import StopFlag
from app.hub.download import Nudge, discard, held_bytes
from app.hub.download_file import Patience
from tests.hub.fetching import NAME, Fetched, fetch, hub_of, leave_when, left_in, noise, start, wanted_of
from tests.standin_hub.faults import Fault, Kind

MIB = 2**20


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def repo(standin):
    return standin.add("alice/Tiny-GGUF", {NAME: noise(5 * MIB)})


def test_a_file_lands_under_its_owner_and_name_and_nothing_else_is_left(standin, repo, models):
    fetched = fetch(standin, wanted_of(repo), models)
    assert fetched.path == str(models / "alice" / "Tiny-GGUF" / NAME)
    assert fetched.content == repo.files[NAME].content
    assert left_in(models) == [f"alice/Tiny-GGUF/{NAME}"]
    assert standin.sent_bytes == 5 * MIB


def test_a_file_in_a_folder_keeps_its_folder(standin, models):
    repo = standin.add("alice/Tiny-GGUF", {"Q8_0/tiny.gguf": noise(1000)})
    fetched = fetch(standin, wanted_of(repo, "Q8_0/tiny.gguf"), models)
    assert fetched.path == str(models / "alice" / "Tiny-GGUF" / "Q8_0" / "tiny.gguf")


def test_steps_tell_of_bytes_that_only_grow_up_to_the_size(standin, repo, models):
    standin.most, fetched = MIB, Fetched()
    for step in start(standin, wanted_of(repo), models, StopFlag()):
        fetched.steps.append(step)
        standin.most = step.have_bytes + MIB
    running = [step.have_bytes for step in fetched.steps if step.state is DownloadState.RUNNING]
    assert running == sorted(running)
    assert running[-1] <= 5 * MIB
    assert len(set(running)) > 2


def test_the_file_is_pinned_to_the_commit_that_was_listed(standin, repo, models):
    fetch(standin, wanted_of(repo), models)
    (head,) = standin.asked_of("hub")
    assert head.method == "HEAD"
    assert head.path == f"/alice/Tiny-GGUF/resolve/{repo.commit}/{NAME}"
    assert head.headers["x-hf-download-counter"] == "1"


def test_a_renamed_repository_still_serves_what_was_listed_under_its_old_name(standin, models):
    repo = standin.add("alice/New-GGUF", {NAME: noise(1000)}, old_ids=("alice/Old-GGUF",))
    wanted = Wanted("alice/Old-GGUF", repo.commit, "Q4_K_M", wanted_of(repo).files, "Old")
    assert fetch(standin, wanted, models).path == str(models / "alice" / "Old-GGUF" / NAME)


def test_a_stopped_download_goes_on_where_it_was_and_nothing_comes_twice(standin, repo, models):
    standin.most = 3 * MIB
    stop, wanted = StopFlag(), wanted_of(repo)
    leave_when(start(standin, wanted, models, stop), stop, DownloadState.RUNNING, MIB)
    standin.hang_up()
    standin.most = None
    held = held_bytes(wanted, models)
    assert MIB <= held < 5 * MIB
    before = standin.sent_bytes
    fetched = fetch(standin, wanted, models)
    assert fetched.content == repo.files[NAME].content
    assert standin.sent_bytes - before == 5 * MIB - held


def test_a_stopped_download_returns_no_path_and_raises_nothing(standin, repo, models):
    standin.speed = MIB
    stop = StopFlag()
    steps = start(standin, wanted_of(repo), models, stop)
    next(steps)
    stop.set()
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == ""


STATES = {
    "streaming": ([], DownloadState.RUNNING),
    "a stalled body": ([Fault(Kind.STALL, after=1000)], DownloadState.RUNNING),
    "no answer of the Hub": ([Fault(Kind.SILENT, "resolve")], DownloadState.RUNNING),
    "no answer of the CDN": ([Fault(Kind.SILENT)], DownloadState.RUNNING),
    "told to wait a minute": (
        [Fault(Kind.STATUS, "resolve", None, status=429, headers={"Retry-After": "60"})],
        DownloadState.WAITING,
    ),
    "waiting for a network that is away": ([Fault(Kind.RESET, times=None)], DownloadState.WAITING),
}


@pytest.mark.parametrize("name", STATES)
def test_a_download_can_be_stopped_in_any_state_and_then_goes_on(standin, repo, models, name):
    faults, state = STATES[name]
    standin.faults += [Fault(**{slot: getattr(fault, slot) for slot in fault.__dataclass_fields__}) for fault in faults]
    standin.speed = 2 * MIB
    stop = StopFlag()
    slow = Patience(first_s=60, longest_s=60, stall_s=60)
    hub = hub_of(standin, read_s=60)
    leave_when(start(standin, wanted_of(repo), models, stop, hub=hub, patience=slow), stop, state)
    standin.hang_up()
    standin.faults.clear()
    standin.speed = None
    assert fetch(standin, wanted_of(repo), models).content == repo.files[NAME].content


def test_a_download_can_be_stopped_while_a_file_is_checked(standin, models):
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(48 * MIB)})
    target = models / "alice" / "Tiny-GGUF" / NAME
    target.parent.mkdir(parents=True)
    target.write_bytes(bytes(48 * MIB))
    stop = StopFlag()
    steps = start(standin, wanted_of(repo), models, stop)
    steps.send(None)
    stop.set()
    assert list(steps) == []
    assert target.read_bytes() == bytes(48 * MIB)


def test_try_again_now_ends_a_wait_at_once(standin, repo, models):
    standin.faults.append(Fault(Kind.STATUS, "resolve", status=503))
    nudge, fetched = Nudge(), Fetched()
    steps = start(standin, wanted_of(repo), models, StopFlag(), retry_now=nudge, patience=Patience(100, 100))
    for step in steps:
        fetched.steps.append(step)
        if step.state is DownloadState.WAITING:
            assert 50 < step.retry_in_s <= 100
            nudge.give()
    assert (models / "alice" / "Tiny-GGUF" / NAME).read_bytes() == repo.files[NAME].content
    assert DownloadState.WAITING in fetched.states


def test_bytes_that_were_held_before_are_hashed_too(standin, repo, models):
    wanted = wanted_of(repo)
    part = models / ".partial" / f"{wanted.files[0].sha256}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(repo.files[NAME].content[: 3 * MIB])
    assert fetch(standin, wanted, models).content == repo.files[NAME].content
    assert standin.sent_bytes == 2 * MIB


def test_a_whole_part_is_verified_without_asking_for_a_byte(standin, repo, models):
    wanted = wanted_of(repo)
    part = models / ".partial" / f"{wanted.files[0].sha256}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(repo.files[NAME].content)
    assert fetch(standin, wanted, models).content == repo.files[NAME].content
    assert standin.asked == []


def test_what_is_held_under_a_wrong_content_is_thrown_away_and_fetched_anew(standin, repo, models):
    wanted = wanted_of(repo)
    part = models / ".partial" / f"{wanted.files[0].sha256}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(MIB))
    assert fetch(standin, wanted, models).content == repo.files[NAME].content


def test_a_part_longer_than_the_file_is_thrown_away(standin, repo, models):
    wanted = wanted_of(repo)
    part = models / ".partial" / f"{wanted.files[0].sha256}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(6 * MIB))
    assert fetch(standin, wanted, models).content == repo.files[NAME].content


def test_a_file_that_is_there_already_is_verified_and_kept(standin, repo, models):
    fetch(standin, wanted_of(repo), models)
    before = len(standin.asked)
    fetched = fetch(standin, wanted_of(repo), models)
    assert fetched.content == repo.files[NAME].content
    assert len(standin.asked) == before


def test_an_older_file_of_the_same_name_gives_way_only_once_the_new_one_is_verified(standin, repo, models):
    target = models / "alice" / "Tiny-GGUF" / NAME
    target.parent.mkdir(parents=True)
    target.write_bytes(b"the old one")
    standin.most = 3 * MIB
    stop = StopFlag()
    leave_when(start(standin, wanted_of(repo), models, stop), stop, DownloadState.RUNNING, MIB)
    assert target.read_bytes() == b"the old one"
    standin.most = None
    fetch(standin, wanted_of(repo), models)
    assert target.read_bytes() == repo.files[NAME].content


PARTS = [f"big.Q8_0-{number:05d}-of-00003.gguf" for number in (1, 2, 3)]


def test_no_part_of_a_split_model_is_to_be_seen_before_all_are_verified(standin, models):
    sizes = [2 * MIB, 2 * MIB, 4 * MIB]
    repo = standin.add("bob/Big", {name: noise(sizes[at], at) for at, name in enumerate(PARTS)})
    standin.most = 3 * MIB
    stop, wanted = StopFlag(), wanted_of(repo, *PARTS)
    leave_when(start(standin, wanted, models, stop), stop, DownloadState.RUNNING, 5 * MIB)
    assert not list(models.glob("bob/**/*.gguf"))
    held = held_bytes(wanted, models)
    assert held >= 5 * MIB
    standin.hang_up()
    standin.most, before = None, standin.sent_bytes
    fetched = fetch(standin, wanted, models)
    assert fetched.path == str(models / "bob" / "Big" / PARTS[0])
    assert left_in(models) == [f"bob/Big/{name}" for name in PARTS]
    assert all((models / "bob" / "Big" / name).read_bytes() == repo.files[name].content for name in PARTS)
    again = standin.sent_bytes - before - (sum(sizes) - held)
    assert 0 <= again <= 0.03 * sum(sizes), "a piece that was not noted yet when it was left comes again"


def test_several_connections_fetch_ahead_and_the_file_is_in_order(standin, models):
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(16 * MIB)})
    standin.speed = 8 * MIB
    fetched = fetch(standin, wanted_of(repo), models, connections=4)
    assert fetched.content == repo.files[NAME].content
    assert standin.sent_bytes == 16 * MIB
    starts = [asked.range_start for asked in standin.asked_of("cdn")]
    assert len(set(starts)) == len(starts) >= 4


def test_one_connection_is_enough_where_the_person_wants_one(standin, models):
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(8 * MIB)})
    standin.speed = 8 * MIB
    fetch(standin, wanted_of(repo), models, connections=1)
    starts = [request.range_start for request in standin.asked_of("cdn")]
    assert starts == sorted(starts)
    assert max(asked.range_end - asked.range_start for asked in standin.asked_of("cdn")) < 8 * MIB


def test_a_second_download_of_the_same_file_is_told_so_at_once(standin, repo, models):
    standin.speed = MIB
    stop = StopFlag()
    first = start(standin, wanted_of(repo), models, stop)
    next(first)
    with pytest.raises(DownloadBusyError):
        fetch(standin, wanted_of(repo), models)
    with pytest.raises(DownloadBusyError):
        discard(wanted_of(repo), models)
    stop.set()
    assert list(first) == []
    standin.speed = None
    assert fetch(standin, wanted_of(repo), models).content == repo.files[NAME].content


def test_discarding_removes_all_that_is_held_and_only_that(standin, repo, models):
    other = standin.add("bob/Other", {NAME: noise(4 * MIB, 7)})
    standin.most = 3 * MIB
    for each in (repo, other):
        stop = StopFlag()
        leave_when(start(standin, wanted_of(each), models, stop), stop, DownloadState.RUNNING, MIB)
    discard(wanted_of(repo), models)
    assert held_bytes(wanted_of(repo), models) == 0
    assert held_bytes(wanted_of(other), models) >= MIB
    discard(wanted_of(other), models)
    assert left_in(models) == []
    discard(wanted_of(other), models)


def test_two_downloads_run_beside_each_other(standin, repo, models):
    other = standin.add("bob/Other", {NAME: noise(4 * MIB, 7)})
    standin.speed = 16 * MIB
    paths: list[str] = []
    threads = [
        threading.Thread(target=lambda each=each: paths.append(fetch(standin, wanted_of(each), models).path))
        for each in (repo, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(paths) == [str(models / "alice" / "Tiny-GGUF" / NAME), str(models / "bob" / "Other" / NAME)]


@pytest.mark.parametrize(
    "files",
    [
        (),
        (RemoteFile("a.gguf", 0, "0" * 64),),
        (RemoteFile("a.gguf", 5, "not a checksum"),),
        (RemoteFile("a.gguf", 5, "../" + "0" * 61),),
        (RemoteFile("a.gguf", 5, "0" * 64), RemoteFile("A.gguf", 5, "1" * 64)),
    ],
)
def test_a_listing_that_makes_no_sense_is_refused_before_anything_is_asked(standin, models, files):
    with pytest.raises(DownloadError):
        fetch(standin, Wanted("a/b", "0" * 40, "Q", files, "x"), models)
    assert standin.asked == []
    assert not models.exists()
