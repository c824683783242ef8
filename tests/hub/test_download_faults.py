"""What a download does when the network, the Hub or the CDN misbehaves: each row of what is known to happen."""

from __future__ import annotations

import pytest

from app.core.errors import (
    FileChangedError,
    HubError,
    HubGatedError,
    HubNotFoundError,
    HubTokenError,
    MismatchError,
)
from app.core.library import DownloadState, Wanted
from app.core.stopping import StopFlag
from app.hub.download import held_bytes
from app.hub.download_file import Patience
from tests.hub.fetching import (
    HASTY,
    NAME,
    fetch,
    fetch_on_request,
    hub_of,
    leave_when,
    left_in,
    noise,
    start,
    wanted_of,
)
from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.repos import Account, HostedFile

MIB = 2**20
SIZE = 5 * MIB


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def repo(standin):
    return standin.add("alice/Tiny-GGUF", {NAME: noise(SIZE)})


def starts(standin):
    return [asked.range_start for asked in standin.asked_of("cdn", "GET")]


def test_a_dropped_connection_goes_on_at_the_very_byte(standin, repo, models):
    standin.faults.append(Fault(Kind.DROP, after=1_000_000))
    fetched = fetch(standin, wanted_of(repo), models, connections=1)
    assert fetched.content == repo.files[NAME].content
    assert starts(standin)[1] == 1_000_000
    assert standin.sent_bytes == SIZE


def test_a_link_that_always_drops_still_finishes_and_sends_no_byte_twice(standin, repo, models):
    standin.faults.append(Fault(Kind.DROP, times=None, after=300_000))
    fetched = fetch(standin, wanted_of(repo), models)
    assert fetched.content == repo.files[NAME].content
    assert standin.sent_bytes == SIZE


def test_a_reset_connection_goes_on(standin, repo, models):
    standin.faults.append(Fault(Kind.RESET, times=3, after=400_000))
    assert fetch(standin, wanted_of(repo), models).content == repo.files[NAME].content


def test_a_stalled_connection_is_given_up_and_goes_on_at_the_very_byte(standin, repo, models):
    standin.faults.append(Fault(Kind.STALL, after=1_000_000))
    fetched = fetch(standin, wanted_of(repo), models, hub=hub_of(standin, read_s=0.4))
    assert fetched.content == repo.files[NAME].content
    assert 1_000_000 in starts(standin)
    assert standin.sent_bytes == SIZE


def test_a_connection_that_only_trickles_is_given_up_for_a_new_one(standin, repo, models):
    standin.faults.append(Fault(Kind.TRICKLE, after=1_000_000, rate=200))
    fetched = fetch(standin, wanted_of(repo), models, patience=HASTY)
    assert fetched.content == repo.files[NAME].content
    assert standin.sent_bytes < SIZE * 1.01


def test_a_connection_far_slower_than_the_others_does_not_hold_up_the_file(standin, models):
    repo = standin.add("alice/Big-GGUF", {NAME: noise(16 * MIB)})
    standin.speed = 8 * MIB
    standin.faults.append(Fault(Kind.TRICKLE, after=100_000, rate=5000, min_offset=2 * MIB))
    fetched = fetch(standin, wanted_of(repo), models, patience=HASTY)
    assert fetched.content == repo.files[NAME].content
    assert standin.sent_bytes < 16 * MIB * 1.2


def test_a_server_that_ignores_ranges_is_read_through_once(standin, repo, models):
    standin.faults.append(Fault(Kind.IGNORE_RANGE, times=None))
    fetched = fetch(standin, wanted_of(repo), models, connections=1)
    assert fetched.content == repo.files[NAME].content
    assert len(standin.asked_of("cdn")) == 1


def test_a_server_that_ignores_ranges_when_resuming_has_its_first_bytes_left_out(standin, repo, models):
    standin.faults += [Fault(Kind.DROP, after=1_000_000), Fault(Kind.IGNORE_RANGE, times=None)]
    fetched = fetch(standin, wanted_of(repo), models, connections=1)
    assert fetched.content == repo.files[NAME].content
    assert standin.sent_bytes == SIZE + 1_000_000


def test_leaving_out_what_is_held_may_take_longer_than_a_stall(standin, repo, models):
    wanted = wanted_of(repo)
    part = models / ".partial" / f"{wanted.files[0].sha256}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(repo.files[NAME].content[: 4 * MIB])
    standin.speed = 2 * MIB
    standin.faults.append(Fault(Kind.IGNORE_RANGE, times=None))
    patience = Patience(first_s=0.01, longest_s=0.05, stall_s=1.0)
    assert fetch(standin, wanted, models, patience=patience).content == repo.files[NAME].content
    assert len(standin.asked_of("cdn")) == 1


def test_a_server_that_begins_to_ignore_ranges_among_several_connections_ends_right(standin, models):
    repo = standin.add("alice/Big-GGUF", {NAME: noise(8 * MIB)})
    standin.speed = 8 * MIB
    standin.faults.append(Fault(Kind.IGNORE_RANGE, times=None, min_offset=3 * MIB))
    assert fetch(standin, wanted_of(repo), models).content == repo.files[NAME].content


@pytest.mark.parametrize("times", [1, 3])
def test_an_answer_with_bytes_of_another_place_is_not_taken(standin, repo, models, times):
    standin.faults.append(Fault(Kind.WRONG_OFFSET, times=times, after=4096))
    fetched = fetch(standin, wanted_of(repo), models)
    assert fetched.content == repo.files[NAME].content
    assert fetched.steps


def test_bytes_of_another_place_under_a_lying_header_are_found_out_by_the_checksum(standin, repo, models):
    standin.faults.append(Fault(Kind.LYING_OFFSET, after=4096))
    assert fetch(standin, wanted_of(repo), models).content == repo.files[NAME].content


def test_a_refused_range_is_asked_for_again_and_nothing_is_cut_off(standin, repo, models):
    standin.faults += [Fault(Kind.DROP, after=1_000_000), Fault(Kind.STATUS, times=2, status=416)]
    fetched = fetch(standin, wanted_of(repo), models, connections=1)
    assert fetched.content == repo.files[NAME].content
    assert starts(standin)[:4] == [0, 1_000_000, 1_000_000, 1_000_000]
    assert standin.sent_bytes - 2 * len(b"out of order") == SIZE


@pytest.mark.parametrize("on", ["resolve", "cdn"])
@pytest.mark.parametrize("headers", [{"Retry-After": "300"}, {"RateLimit": '"resolvers";r=0;t=300'}])
def test_too_many_requests_wait_as_long_as_they_are_told_to(standin, repo, models, on, headers):
    standin.faults.append(Fault(Kind.STATUS, on, status=429, headers=headers))
    stop = StopFlag()
    step = leave_when(start(standin, wanted_of(repo), models, stop), stop, DownloadState.WAITING)
    assert 150 < step.retry_in_s <= 300
    assert step.trouble is not None
    assert step.trouble.title == "The Hub asks to wait"


@pytest.mark.parametrize("on", ["resolve", "cdn"])
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again_until_it_answers(standin, repo, models, on, status):
    standin.faults.append(Fault(Kind.STATUS, on, times=3, status=status))
    assert fetch(standin, wanted_of(repo), models).content == repo.files[NAME].content


def test_waits_get_longer_and_tell_when_the_next_try_comes(standin, repo, models):
    standin.faults.append(Fault(Kind.STATUS, "resolve", times=None, status=503))
    stop = StopFlag()
    steps = start(standin, wanted_of(repo), models, stop, patience=Patience(first_s=0.15, longest_s=60))
    waits = []
    for step in steps:
        if step.state is DownloadState.WAITING:
            waits.append(step.retry_in_s)
        if step.retry_in_s > 0.7:
            break
    stop.set()
    assert list(steps) == []
    assert len(standin.asked_of("hub")) >= 3


def test_an_address_whose_signature_has_expired_is_asked_for_anew(standin, repo, models):
    standin.most = 3 * MIB
    steps = start(standin, wanted_of(repo), models, StopFlag(), connections=1)
    next(step for step in steps if step.have_bytes > MIB)
    standin.files.expire_signatures()
    standin.hang_up()
    standin.most = None
    list(steps)
    assert (models / "alice" / "Tiny-GGUF" / NAME).read_bytes() == repo.files[NAME].content
    assert len(standin.asked_of("hub", "HEAD")) == 2
    assert [asked.status for asked in standin.asked_of("cdn")].count(403) >= 1


def test_an_address_that_is_refused_again_and_again_ends_the_download(standin, repo, models):
    standin.faults.append(Fault(Kind.STATUS, times=None, status=403))
    with pytest.raises(HubError, match="not handed out"):
        fetch(standin, wanted_of(repo), models)
    assert len(standin.asked_of("cdn")) == 4


@pytest.mark.parametrize("on", ["resolve", "cdn"])
def test_a_portal_that_answers_instead_is_waited_out_and_its_page_is_not_kept(standin, repo, models, on):
    standin.faults.append(Fault(Kind.PORTAL, on, times=2))
    fetched = fetch_on_request(standin, wanted_of(repo), models)
    assert fetched.troubles == {"Something else answers in the Hub's place"}
    assert fetched.content == repo.files[NAME].content


def test_a_hub_that_never_answers_is_asked_again(standin, repo, models):
    standin.faults.append(Fault(Kind.SILENT, "resolve"))
    assert fetch(standin, wanted_of(repo), models, hub=hub_of(standin, read_s=0.4)).content == repo.files[NAME].content


def test_a_cdn_that_never_answers_is_asked_again(standin, repo, models):
    standin.faults.append(Fault(Kind.SILENT))
    assert fetch(standin, wanted_of(repo), models, hub=hub_of(standin, read_s=0.4)).content == repo.files[NAME].content


def test_no_network_at_all_is_waiting_and_not_failure(repo, standin, models):
    hub = hub_of(standin)
    standin.__exit__()
    stop = StopFlag()
    steps = start(standin, wanted_of(repo), models, stop, hub=hub, patience=Patience(first_s=60, longest_s=60))
    step = leave_when(steps, stop, DownloadState.WAITING)
    assert step.trouble is not None
    assert step.trouble.title == "No connection to the Hub"


def test_a_body_that_ends_too_early_is_completed(standin, repo, models):
    standin.faults.append(Fault(Kind.SHORT, times=2, after=700_000))
    fetched = fetch(standin, wanted_of(repo), models)
    assert fetched.content == repo.files[NAME].content
    assert standin.sent_bytes == SIZE


def test_one_flipped_bit_is_found_out_and_the_file_fetched_again(standin, models):
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(MIB)})
    standin.faults.append(Fault(Kind.CORRUPT, after=500_000))
    fetched = fetch(standin, wanted_of(repo), models)
    assert fetched.content == repo.files[NAME].content
    assert standin.sent_bytes == 2 * MIB


@pytest.mark.parametrize("at", [0, 2 * MIB - 1, 2 * MIB, SIZE - 1])
def test_a_file_that_comes_damaged_twice_is_never_put_in_its_place(standin, repo, models, at):
    standin.faults.append(Fault(Kind.CORRUPT, times=None, after=at))
    with pytest.raises(MismatchError):
        fetch(standin, wanted_of(repo), models)
    assert not list(models.rglob("*.gguf"))
    assert held_bytes(wanted_of(repo), models) == 0
    assert standin.sent_bytes == 2 * SIZE


def test_a_file_that_changed_upstream_is_refused_and_the_old_one_stays(standin, repo, models):
    target = models / "alice" / "Tiny-GGUF" / NAME
    target.parent.mkdir(parents=True)
    target.write_bytes(b"the old one")
    standin.faults.append(Fault(Kind.CHANGED, "resolve"))
    with pytest.raises(FileChangedError):
        fetch(standin, wanted_of(repo), models)
    assert target.read_bytes() == b"the old one"
    assert standin.asked_of("cdn") == []


def test_a_file_of_another_size_than_listed_is_refused(standin, repo, models):
    wanted = wanted_of(repo)
    repo.files[NAME] = HostedFile(noise(SIZE), listed_size=SIZE + 1)
    repo.branches["old"] = {NAME: HostedFile(noise(SIZE))}
    moved = Wanted(wanted.repo_id, repo.commit, wanted.quant, wanted.files, wanted.name)
    with pytest.raises(FileChangedError):
        fetch(standin, moved, models)


def test_a_packed_answer_is_not_taken_for_the_file(standin, repo, models):
    packed = {"Content-Encoding": "gzip", "Content-Range": f"bytes 0-2097151/{SIZE}"}
    standin.faults.append(Fault(Kind.STATUS, status=206, headers=packed))
    assert fetch(standin, wanted_of(repo), models, connections=1).content == repo.files[NAME].content
    assert starts(standin)[:2] == [0, 0]


@pytest.mark.parametrize("where", ["http://[nonsense", "file:///etc/passwd", "//"])
@pytest.mark.parametrize("on", ["resolve", "cdn"])
def test_a_redirect_to_nowhere_is_asked_again(standin, repo, models, on, where):
    standin.faults.append(Fault(Kind.STATUS, on, status=302, headers={"Location": where}))
    assert fetch(standin, wanted_of(repo), models).content == repo.files[NAME].content


def test_a_gated_model_without_a_token_asks_to_sign_in(standin, repo, models):
    repo.gated = "auto"
    with pytest.raises(HubGatedError) as told:
        fetch(standin, wanted_of(repo), models)
    assert not told.value.signed_in
    assert list(models.iterdir()) == []


def test_a_gated_model_with_a_token_asks_to_accept_the_licence(standin, repo, models):
    repo.gated = "manual"
    standin.tokens["hf_known"] = Account("alice")
    with pytest.raises(HubGatedError) as told:
        fetch(standin, wanted_of(repo), models, hub=hub_of(standin, "hf_known"))
    assert told.value.signed_in


def test_a_gated_model_comes_once_access_is_granted(standin, repo, models):
    repo.gated = "manual"
    standin.tokens["hf_known"] = Account("alice", {repo.repo_id})
    fetched = fetch(standin, wanted_of(repo), models, hub=hub_of(standin, "hf_known"))
    assert fetched.content == repo.files[NAME].content


@pytest.mark.parametrize("token", [None, "hf_known"])
def test_a_private_or_missing_repository_is_not_found(standin, repo, models, token):
    repo.private = True
    standin.tokens["hf_known"] = Account("alice")
    with pytest.raises(HubNotFoundError):
        fetch(standin, wanted_of(repo), models, hub=hub_of(standin, token))


def test_a_file_that_was_removed_is_not_found(standin, repo, models):
    wanted = wanted_of(repo)
    gone = Wanted(repo.repo_id, repo.commit, "Q4_K_M", wanted.files, "x")
    content = repo.files.pop(NAME)
    repo.files["other.gguf"] = content
    with pytest.raises(HubNotFoundError):
        fetch(standin, Wanted(gone.repo_id, repo.commit, gone.quant, gone.files, "x"), models)
    with pytest.raises(HubNotFoundError):
        fetch(standin, Wanted(gone.repo_id, "0" * 40, gone.quant, gone.files, "x"), models)


def test_a_token_that_the_hub_refuses_ends_the_download(standin, repo, models):
    with pytest.raises(HubTokenError):
        fetch(standin, wanted_of(repo), models, hub=hub_of(standin, "hf_wrong"))


def test_what_came_before_an_end_is_kept_for_the_next_time(standin, repo, models):
    standin.faults += [Fault(Kind.DROP, after=1_000_000), Fault(Kind.STATUS, times=4, status=403)]
    with pytest.raises(HubError):
        fetch(standin, wanted_of(repo), models, connections=1)
    assert held_bytes(wanted_of(repo), models) == 1_000_000
    assert fetch(standin, wanted_of(repo), models).content == repo.files[NAME].content
    assert 0 not in starts(standin)[1:]


CANARY = "hf_CanaryThatMustNotLeak0123456789"


def test_the_token_goes_to_the_hub_alone_and_into_no_file_and_no_log(standin, models, caplog, tmp_path):
    caplog.set_level("DEBUG")
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(SIZE)}, gated="auto", old_ids=("alice/Old",))
    standin.tokens[CANARY] = Account("alice", {repo.repo_id})
    standin.faults += [
        Fault(Kind.STATUS, "resolve", status=503),
        Fault(Kind.DROP, after=1_000_000),
        Fault(Kind.STATUS, status=403),
        Fault(Kind.STATUS, status=302, headers={"Location": f"{standin.cdn_url}/elsewhere"}),
    ]
    wanted = Wanted("alice/Old", repo.commit, "Q4_K_M", wanted_of(repo).files, "Old")
    fetched = fetch(standin, wanted, models, hub=hub_of(standin, CANARY))
    assert fetched.content == repo.files[NAME].content
    assert all(asked.token == CANARY for asked in standin.asked_of("hub"))
    assert all(CANARY not in str(asked) for asked in standin.asked_of("cdn"))
    assert len(standin.asked_of("cdn")) >= 4
    assert CANARY not in caplog.text
    assert all(CANARY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert left_in(models) == [f"alice/Old/{NAME}"]
