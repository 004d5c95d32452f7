"""Rules for robots, as they matter to a program that is one: robots.txt and ai.txt.

Source: RFC 9309: groups of user agents, Allow and Disallow, the longest rule that fits wins and Allow wins a tie; ``*``
stands for anything and ``$`` for the end. Patterns without a slash ("*.jpg", as Spawning's ai.txt has them) fit
anywhere in a path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from unflat.trust.reserved import Forbidden, reservation
from unflat.types.provenance import Reservation

_NAMES = """
    ai2bot ai2bot-dolma amazonbot anthropic-ai applebot-extended awariobot bytespider ccbot chatgpt-user claude-web
    claudebot cohere-ai cohere-training-data-crawler deepseekbot diffbot duckassistbot facebookbot google-cloudvertexbot
    google-extended gptbot iaskspider icc-crawler imagesiftbot img2dataset kangaroo meta-externalagent
    meta-externalfetcher mistralai-user oai-searchbot omgili omgilibot pangubot panscient perplexity-user perplexitybot
    petalbot scrapy sidetrade spawning-ai tiktokspider timpibot velenpublicwebcrawler webzio-extended youbot
    """
_AGENTS = frozenset(_NAMES.split())
"""Robots that gather for AI, in small letters."""
MOST_LINES = 20_000
"""More of a list is not read."""
_LONGEST_RULE = 2048
_SIGNALS = re.compile(
    r"(?:^|[,;\s])(?:ai-train|ai-input|train-ai|train-genai|ai-output|bots)\s*=\s*(?:no|n)\b", re.IGNORECASE
)
_NO_AI = re.compile(r"\bno(?:image)?ai\b", re.IGNORECASE)
_TELLING = {"content-signal": _SIGNALS, "content-usage": _SIGNALS, "x-robots-tag": _NO_AI, "robots": _NO_AI}


@dataclass(slots=True)
class _Group:
    agents: set[str] = field(default_factory=set[str])
    rules: list[tuple[bool, str]] = field(default_factory=list[tuple[bool, str]])
    signals: list[str] = field(default_factory=list[str])


def forbidden_for_ai(text: str, path: str, name: str) -> list[Reservation]:
    """What a list of rules forbids machines to do with one file; at most one reservation of each kind.

    Args:
        text: Of the list.
        path: Of the file, from the list's folder, beginning with "/".
        name: "robots.txt" or "ai.txt". What the latter forbids everybody is use by AI; what the former forbids
            everybody is mining.
    """
    found: dict[Forbidden, Reservation] = {}
    for group in _groups(text):
        learned = group.agents & _AGENTS
        if not learned and "*" not in group.agents:
            continue
        kind: Forbidden = "ai" if learned or name == "ai.txt" else "data mining"
        who = ", ".join(sorted(learned)[:4]) or "*"
        rule = _decided(group.rules, path)
        if rule is not None and not rule[0]:
            found.setdefault(kind, reservation(kind, name, f"User-agent: {who}; Disallow: {rule[1]}"))
        for signal in group.signals:
            found.setdefault("ai", reservation("ai", name, signal))
    return list(found.values())


def matches(pattern: str, path: str) -> bool:
    """Whether a rule fits a path from its beginning."""
    if len(pattern) > _LONGEST_RULE:
        return False
    where = unquote(path)
    if not pattern.startswith(("/", "*")):
        pattern = f"*/{pattern}"
    first, *parts = (unquote(part) for part in re.split(r"\*+", pattern.removesuffix("$")))
    if not where.startswith(first):
        return False
    at = len(first)
    last = parts.pop() if pattern.endswith("$") and parts else None
    for part in parts:
        found = where.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    if not pattern.endswith("$"):
        return True
    return at == len(where) if last is None else where.endswith(last) and len(where) - len(last) >= at


def _decided(rules: list[tuple[bool, str]], path: str) -> tuple[bool, str] | None:
    """The rule that counts for a path: whether it allows, and its words; None where none fits."""
    fitting = [rule for rule in rules if rule[1] and matches(rule[1], path)]
    return max(fitting, key=lambda rule: (len(rule[1]), rule[0]), default=None)


def _groups(text: str) -> list[_Group]:
    """The groups of rules; user agents that follow each other share one."""
    groups: list[_Group] = [_Group({"*"})]  # what stands before any user agent counts for all
    naming = False
    for line in text.splitlines()[:MOST_LINES]:
        key, mark, value = line.split("#", 1)[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not mark:
            continue
        if key == "user-agent":
            if not naming:
                groups.append(_Group())
            groups[-1].agents.add(value.lower().split("/", 1)[0].strip())
            naming = True
            continue
        naming = False
        if key in ("allow", "disallow"):
            groups[-1].rules.append((key == "allow", value))
        elif (told := _TELLING.get(key)) is not None and told.search(value):
            groups[-1].signals.append(f"{key}: {value}")
    return groups
