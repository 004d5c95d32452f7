"""May a source be used, and whose is the result: the words of sources, the options of users, the statement."""

from __future__ import annotations

import dataclasses
import json

import pytest

from unflat.errors import InputError, RightsError
from unflat.formats.provenance_text import from_plain, to_plain
from unflat.formats.shelf_source import source_of, source_told
from unflat.trust.reserved import in_data_mining, in_tdm, in_training_mining, in_words, only_without_commerce
from unflat.trust.rights import RightsOptions, as_plain, bill, check_free, lines, materials, statement
from unflat.types.provenance import Credentials, Provenance, Reservation, Rights, Source, Step

FORBIDDING = {
    "No AI": "ai",
    "no AI training, please": "ai",
    "Not for AI training.": "ai",
    "noai, noimageai": "ai",
    "AI training is strictly prohibited": "ai",
    "May not be used to train AI": "ai",
    "Use of this image in generative AI is not permitted": "ai",
    "KI-Training nicht gestattet": "ai",
    "Text and data mining is prohibited.": "data mining",
    "Die Nutzung für Text und Data Mining ist ausdrücklich vorbehalten": "data mining",
    "https://creativecommons.org/licenses/by-nd/4.0/": "derivatives",
    "http://creativecommons.org/licenses/by-nc-nd/2.5/it/": "derivatives",
    "CC BY-NC-ND 4.0": "derivatives",
    "Attribution-NoDerivs 2.0 Generic": "derivatives",
}
ALLOWING = (
    "All rights reserved",
    "No AI was used",
    "This picture is not AI generated",
    "https://creativecommons.org/licenses/by-nc-sa/4.0",
    "CC BY 4.0",
    "Shot at the AI conference, all rights reserved",
    "Aiko, no airport",
    "",
)


def reserving(name: str = "a.jpg") -> Source:
    return Source(
        name, None, "jpeg", reserved=(Reservation("ai", "XMP plus:DataMining", "DMI-PROHIBITED-AIMLTRAINING"),)
    )


@pytest.mark.parametrize("words", FORBIDDING)
def test_words_that_forbid(words: str) -> None:
    (found,) = in_words(words, "XMP dc:rights")
    assert (found.forbids, found.told_by) == (FORBIDDING[words], "XMP dc:rights")
    assert words.rstrip(".") in found.words


@pytest.mark.parametrize("words", ALLOWING)
def test_words_that_do_not(words: str) -> None:
    assert in_words(words, "x") == ()


def test_long_words_are_shortened_around_what_forbids() -> None:
    (found,) = in_words("la " * 1000 + "no derivatives " + "la " * 1000, "x")
    assert len(found.words) <= 200
    assert "no derivatives" in found.words


def test_the_vocabulary_of_plus() -> None:
    ldf = "http://ns.useplus.org/ldf/vocab/"
    for word in ("DMI-UNSPECIFIED", "DMI-ALLOWED"):
        assert in_data_mining(ldf + word, None, "x") == ()
    assert in_data_mining(None, "no AI", "x") == ()
    kinds = {
        "DMI-PROHIBITED": "data mining",
        "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": "data mining",
        "DMI-PROHIBITED-SEECONSTRAINT": "data mining",
        "DMI-PROHIBITED-AIMLTRAINING": "ai",
        "DMI-PROHIBITED-GENAIMLTRAINING": "ai",
    }
    for word, kind in kinds.items():
        for spelling in (ldf + word, word, word.lower()):
            (found,) = in_data_mining(spelling, "only with a licence", "x")
            assert (found.forbids, found.words) == (kind, f"{word}: only with a licence")


def test_tdm_is_reserved_by_one_alone() -> None:
    assert in_tdm("0", None, "x") == in_tdm(None, None, "x") == in_tdm("yes", None, "x") == ()
    assert in_tdm(" 1 ", "https://a.example/tdm", "x")[0].words == "tdm-reservation: 1; https://a.example/tdm"


@pytest.mark.parametrize("house", ["c2pa", "cawg"])
@pytest.mark.parametrize("more", ["", ".v2", "__1"])
def test_training_mining(house: str, more: str) -> None:
    entries = {
        f"{house}.ai_inference": {"use": "notAllowed"},
        f"{house}.ai_training": {"use": "allowed"},
        f"{house}.data_mining": {"use": "constrained", "constraint_info": "ask first"},
        f"{house}.tea": {"use": "notAllowed"},
    }
    label = f"{house}.training-mining{more}"
    found = in_training_mining(label, {"entries": entries})
    assert [(one.forbids, one.told_by) for one in found] == [("ai", f"C2PA {label}"), ("data mining", f"C2PA {label}")]
    assert "ask first" in found[1].words
    listed = [{"label": name} | rule for name, rule in entries.items()]
    assert in_training_mining(label, {"entries": listed}) == found
    assert in_training_mining("stds.exif", {"entries": entries}) == ()


@pytest.mark.parametrize(
    "data", [None, 3, [], {"entries": 3}, {"entries": [1, None]}, {"entries": {"c2pa.ai_training": 1}}]
)
def test_training_mining_of_nonsense(data: object) -> None:
    assert in_training_mining("c2pa.training-mining", data) == ()


def test_free_sources_need_no_leave() -> None:
    assert check_free([Source("a.jpg", None, "jpeg")], RightsOptions("I took it")) is None
    assert check_free([]) is None


def test_a_reserved_source_stops_and_says_why_and_where() -> None:
    with pytest.raises(RightsError) as caught:
        check_free([Source("free.jpg", None, "jpeg"), reserving(), reserving("b.jpg")])
    told = str(caught.value)
    assert all(word in told for word in ("a.jpg", "1 more", "AI", "XMP plus:DataMining", "DMI-PROHIBITED-AIMLTRAINING"))
    assert "--i-have-the-right" in caught.value.hint
    assert caught.value.exit_code == 8


def test_a_reason_is_the_leave() -> None:
    assert check_free([reserving()], RightsOptions("  I took it\nmyself ")) == "I took it myself"
    for name in ("i_have_the_right", "converter", "shows"):
        with pytest.raises(InputError, match="--" + name.replace("_", "-")):
            RightsOptions(**{name: " \n"})


def test_commercial_only_refuses_non_commercial_licences() -> None:
    licensed = Source("a.jpg", None, "jpeg", Rights(licence="https://creativecommons.org/licenses/by-nc/4.0/"))
    assert check_free([licensed]) is None
    with pytest.raises(RightsError, match="commercial"):
        check_free([licensed], commercial_only=True)
    assert check_free([licensed], RightsOptions("I bought a licence"), commercial_only=True) == "I bought a licence"
    assert only_without_commerce("Editorial use only")
    assert not only_without_commerce("https://creativecommons.org/licenses/by-sa/4.0/")
    assert not only_without_commerce(None)


def story(**more: object) -> Provenance:
    steps = (
        Step("calibrate"),
        Step("depth", "worlds", "Apache-2.0", (("weights_sha256", "ab" * 32),)),
        Step("fill", "worlds", "Apache-2.0"),
        Step("given", "phone.heic"),
    )
    return Provenance((Source("a.jpg", None, "jpeg"),), steps, "9.9", True, **more)  # type: ignore[arg-type]


def test_the_statement_says_unknown_and_claims_nothing() -> None:
    said = as_plain(statement(story()))
    for key in ("photographer", "subject", "converter", "copyright", "licence", "terms"):
        assert said[key] == "unknown"
    assert said["made_with"] == "unflat 9.9, worlds, phone.heic"
    assert said["sources_that_say_nothing"] == 1
    assert "reserved" not in said
    assert "leave" not in said
    assert [term for term, _ in lines(statement(story()))][:4] == ["photographer", "subject", "made with", "converter"]


def test_the_statement_names_everybody_once() -> None:
    by = [Source(f"{n}.jpg", None, "jpeg", Rights(creator=who, copyright="© them")) for n, who in enumerate("aba")]
    sources = (*by, reserving("z.jpg"))
    said = statement(Provenance(sources, (), "1", False, leave="mine", converter="C", subject="a cup"))
    assert (said.photographer, said.copyright, said.unstated) == ("a; b", "© them", 1)
    assert (said.subject, said.converter, said.leave) == ("a cup", "C", "mine")
    assert len(said.reserved) == 1
    assert dict(lines(said))["used all the same"] == "mine"


def test_the_bill_of_materials() -> None:
    program, network, phone = materials(story())
    assert (program.kind, program.licence) == ("program", "Apache-2.0")
    assert (network.name, network.kind, network.steps) == ("worlds", "network", ("depth", "fill"))
    assert network.sha256 == "ab" * 32
    assert (phone.kind, phone.licence) == ("depth", None)
    assert bill(story())[2]["licence"] == "unknown"


def test_the_story_keeps_converter_and_subject() -> None:
    told = story(leave="mine", converter="C", subject="a cup")
    assert from_plain(to_plain(told)) == told


def test_what_is_kept_between_runs_loses_nothing() -> None:
    seal = Credentials("urn:c2pa:1", "valid", "a signer", None, b"\0\xffbox", b"", ("a/b",), (("ai", "no"),))
    whole = Source("a.jpg", "ab", "jpeg", Rights("a", "b"), "2026:01:01 00:00:00", reserving().reserved, seal)
    for source in (whole, Source.array()):
        back = source_of(json.loads(json.dumps(source_told(source))))
        assert dataclasses.asdict(back) == dataclasses.asdict(source)
