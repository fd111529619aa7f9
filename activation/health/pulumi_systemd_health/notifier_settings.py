"""How a Notifier sends. The file is written by components/notifier.ts and holds its secrets; only root reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from .strict_json import Fields, MalformedError, parsed_json

NOTIFIER_FORMAT = 1


@dataclass(frozen=True)
class MailChannel:
    """Mail over SMTP. `security` is `starttls`, `tls` or, to this machine itself alone, `none`."""

    name: str
    host: str
    port: int
    security: str
    ca_file: str | None
    user: str | None
    password: str | None
    sender: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class SendmailChannel:
    """Mail through the program of this machine's own mail server."""

    name: str
    program: str
    sender: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class WebhookChannel:
    """A POST. `shape` is `json`, `slack`, `teams`, `template`, or `ping`, which gets the runs of timers alone."""

    name: str
    url: str
    shape: str
    template: str | None
    content_type: str
    headers: tuple[tuple[str, str], ...]
    ca_file: str | None


@dataclass(frozen=True)
class CommandChannel:
    """A program that gets the event as JSON on its standard input."""

    name: str
    command: tuple[str, ...]


Channel = Union[MailChannel, SendmailChannel, WebhookChannel, CommandChannel]


@dataclass(frozen=True)
class NotifierSettings:
    """One notifier. Times are in seconds."""

    name: str
    channels: tuple[Channel, ...]
    timeout_sec: float
    retry_sec: float
    retry_max_sec: float
    keep_sec: float
    # A unit that fails again within this time is not told again.
    quiet_sec: float
    journal_lines: int


def notifier_of(text: str) -> NotifierSettings:
    """The settings in a file's text. Raises MalformedError."""
    fields = Fields(
        parsed_json(text),
        "",
        ("format", "name", "channels", "timeoutSec", "retrySec", "retryMaxSec", "keepSec", "quietSec", "journalLines"),
    )
    fields.integer("format", NOTIFIER_FORMAT, NOTIFIER_FORMAT)
    channels = tuple(_channel(item, f"channels[{index}]") for index, item in enumerate(fields.items("channels")))
    if not channels or len({channel.name for channel in channels}) != len(channels):
        raise MalformedError("channels is empty, or two of them have the same name")
    return NotifierSettings(
        name=fields.text("name"),
        channels=channels,
        timeout_sec=fields.number("timeoutSec", 0.1),
        retry_sec=fields.number("retrySec", 0.1),
        retry_max_sec=fields.number("retryMaxSec", 0.1),
        keep_sec=fields.number("keepSec", 60),
        quiet_sec=fields.number("quietSec"),
        journal_lines=fields.integer("journalLines", 0, 200),
    )


def _channel(value: object, path: str) -> Channel:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "mail":
        keys = ("kind", "name", "host", "port", "security", "caFile", "user", "password", "from", "to")
        fields = Fields(value, path, keys)
        security = fields.text("security")
        if security not in ("starttls", "tls", "none"):
            raise MalformedError(f"{path}.security is not one of starttls, tls, none")
        return MailChannel(
            fields.text("name"),
            fields.text("host"),
            fields.integer("port", 1, 65535),
            security,
            fields.optional_text("caFile"),
            fields.optional_text("user"),
            fields.optional_text("password"),
            fields.text("from"),
            tuple(fields.texts("to")),
        )
    if kind == "sendmail":
        fields = Fields(value, path, ("kind", "name", "program", "from", "to"))
        return SendmailChannel(
            fields.text("name"), fields.text("program"), fields.text("from"), tuple(fields.texts("to"))
        )
    if kind == "webhook":
        fields = Fields(value, path, ("kind", "name", "url", "shape", "template", "contentType", "headers", "caFile"))
        shape = fields.text("shape")
        if shape not in ("json", "slack", "teams", "template", "ping"):
            raise MalformedError(f"{path}.shape is not one of json, slack, teams, template, ping")
        headers = fields.raw("headers")
        if not isinstance(headers, dict) or not all(isinstance(each, str) for each in headers.values()):
            raise MalformedError(f"{path}.headers is not an object of texts")
        return WebhookChannel(
            fields.text("name"),
            fields.text("url"),
            shape,
            fields.optional_text("template"),
            fields.text("contentType"),
            tuple(sorted(headers.items())),
            fields.optional_text("caFile"),
        )
    if kind == "command":
        fields = Fields(value, path, ("kind", "name", "command"))
        command = fields.texts("command")
        if not command or not command[0]:
            raise MalformedError(f"{path}.command names no program")
        return CommandChannel(fields.text("name"), tuple(command))
    raise MalformedError(f"{path}.kind is not one of mail, sendmail, webhook, command")
