"""One event through one channel, once."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit

from .command import OverdueError, completed, last_line
from .errors import BrokenCheckError
from .event import Event
from .notifier_settings import Channel, MailChannel, SendmailChannel, WebhookChannel

if TYPE_CHECKING:
    from email.message import EmailMessage

LONGEST_SHORT = 150
TITLES = {
    "outage": "not well",
    "open": "given up for now",
    "reminder": "still not well",
    "recovered": "recovered",
    "action": "acted on",
    "failed": "failed",
    "blind": "cannot be checked",
    "sighted": "can be checked again",
}
# Where a ping goes below its URL, as healthchecks.io has it.
PINGS = {"run-started": "/start", "run-succeeded": "", "run-failed": "/fail", "failed": "/fail"}


class UndeliveredError(Exception):
    """The channel did not take the event. The text says why, without any secret."""


class RefusedError(UndeliveredError):
    """The channel works, and does not want this event: others may go on."""


def is_for(channel: Channel, event: Event) -> bool:
    """Whether a channel wants an event: pings tell of single runs, all others of everything else."""
    if isinstance(channel, WebhookChannel) and channel.shape == "ping":
        return event.event in PINGS
    return not event.event.startswith("run-")


def send(channel: Channel, event: Event, seconds: float) -> None:
    """Send the event. Raises UndeliveredError."""
    try:
        if isinstance(channel, MailChannel):
            _send_mail(channel, event, seconds)
        elif isinstance(channel, SendmailChannel):
            _run(
                (channel.program, "-i", "-f", channel.sender, "--", *channel.to),
                _mail(channel, event).as_bytes(),
                seconds,
            )
        elif isinstance(channel, WebhookChannel):
            _post(channel, event, seconds)
        else:
            _run(channel.command, json.dumps(public_event(event)).encode("utf-8"), seconds)
    except ssl.SSLCertVerificationError as problem:
        raise UndeliveredError(f"the certificate is not valid: {problem.verify_message}") from None
    except (socket.timeout, OverdueError):
        raise UndeliveredError(f"no answer in {seconds:g} s") from None
    except OSError as problem:
        raise UndeliveredError(problem.strerror or type(problem).__name__) from None
    except (http.client.HTTPException, BrokenCheckError) as problem:
        raise UndeliveredError(str(problem) or type(problem).__name__) from None


def public_event(event: Event) -> dict[str, object]:
    """The event as others get it."""
    return {
        "id": event.id,
        "time": event.when,
        "host": event.host,
        "check": event.subject,
        "unit": event.unit,
        "event": event.event,
        "priority": event.priority,
        "text": event.text,
        "journal": list(event.lines),
    }


def title_of(event: Event) -> str:
    """One short line: `web1: gunicorn not well`."""
    return f"{event.host}: {event.subject} {TITLES.get(event.event, event.event)}"


def body_of(event: Event) -> str:
    """The event as a person reads it."""
    lines = [event.text, "", f"Host:  {event.host}", f"Check: {event.subject}"]
    if event.unit is not None:
        lines.append(f"Unit:  {event.unit}")
    lines.append(f"Time:  {event.when}")
    if event.lines:
        lines += ["", f"The journal of {event.unit or event.subject} ends so:", *(f"  {line}" for line in event.lines)]
    return "\n".join(lines) + "\n"


def _mail(channel: MailChannel | SendmailChannel, event: Event) -> EmailMessage:
    # What only mail needs takes as long to load as ten checks to make.
    from email.message import EmailMessage
    from email.utils import format_datetime

    message = EmailMessage()
    message["Subject"] = title_of(event)
    message["From"] = channel.sender
    message["To"] = ", ".join(channel.to)
    message["Date"] = format_datetime(datetime.fromtimestamp(event.time, timezone.utc))
    # The same event sent twice has the same name, so that a mailbox can tell.
    message["Message-ID"] = f"<{event.id}@{event.host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body_of(event))
    return message


def _send_mail(channel: MailChannel, event: Event, seconds: float) -> None:
    import smtplib

    if channel.security == "none" and not is_loopback(channel.host):
        raise UndeliveredError(f"mail without TLS goes to this machine itself alone, not to {channel.host}")
    deadline = time.monotonic() + seconds
    context = ssl.create_default_context(cafile=channel.ca_file) if channel.security != "none" else None
    try:
        if context is not None and channel.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(channel.host, channel.port, timeout=seconds, context=context)
        else:
            server = smtplib.SMTP(channel.host, channel.port, timeout=seconds)
        with server:
            if context is not None and channel.security == "starttls":
                server.starttls(context=context)
            if channel.user is not None:
                server.login(channel.user, channel.password or "")
            if time.monotonic() > deadline:
                raise UndeliveredError(f"no end in {seconds:g} s")
            server.send_message(_mail(channel, event), channel.sender, list(channel.to))
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as problem:
        raise RefusedError(f"the mail server refuses an address ({type(problem).__name__})") from None
    except smtplib.SMTPDataError as problem:
        wrong = RefusedError if 500 <= problem.smtp_code < 600 else UndeliveredError
        raise wrong(f"the mail server answers {problem.smtp_code}") from None
    except smtplib.SMTPResponseException as problem:
        # The text of an answer may repeat what was sent.
        raise UndeliveredError(f"the mail server answers {problem.smtp_code}") from None
    except smtplib.SMTPException as problem:
        raise UndeliveredError(f"the mail server ends the talk ({type(problem).__name__})") from None


def is_loopback(host: str) -> bool:
    """Whether mail to it does not leave this machine."""
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(text: str) -> bool:
    """Whether it is one plain mail address."""
    from email.headerregistry import Address
    from email.utils import parseaddr

    name, address = parseaddr(text)
    try:
        return not name and address == text and bool(Address(addr_spec=text).domain)
    except (ValueError, IndexError):
        return False


def _post(channel: WebhookChannel, event: Event, seconds: float) -> None:
    parts = urlsplit(channel.url)
    if parts.hostname is None:
        raise UndeliveredError("its URL names no host")
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=channel.ca_file)
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=seconds, context=context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
    try:
        path = parts.path.rstrip("/") + PINGS.get(event.event, "") if channel.shape == "ping" else parts.path
        target = (path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"User-Agent": "pulumi-systemd", "Content-Type": channel.content_type, **dict(channel.headers)}
        connection.request("POST", target, posted(channel, event).encode("utf-8"), headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if 200 <= status < 300:
        return
    raise (RefusedError if status in (400, 413, 422) else UndeliveredError)(f"it answers with status {status}")


def posted(channel: WebhookChannel, event: Event) -> str:
    """The body of the request."""
    if channel.shape == "ping":
        return "\n".join((event.text, *event.lines)) + "\n"
    if channel.shape == "slack":
        fence = "\n```\n" + "\n".join(event.lines) + "\n```" if event.lines else ""
        return json.dumps({"text": f"*{title_of(event)}*\n{event.text}{fence}"})
    if channel.shape == "teams":
        blocks: list[dict[str, object]] = [
            {"type": "TextBlock", "size": "Medium", "weight": "Bolder", "wrap": True, "text": title_of(event)},
            {"type": "TextBlock", "wrap": True, "text": event.text},
        ]
        if event.lines:
            blocks.append(
                {"type": "TextBlock", "wrap": True, "fontType": "Monospace", "text": "\n\n".join(event.lines)}
            )
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": blocks,
        }
        content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return json.dumps({"type": "message", "attachments": [content]})
    if channel.shape == "template":
        return _filled(channel.template or "", channel.content_type, event)
    return json.dumps(public_event(event))


def _filled(template: str, content_type: str, event: Event) -> str:
    title = title_of(event)
    words = {
        "title": title,
        "short": title if len(title) <= LONGEST_SHORT else f"{title[: LONGEST_SHORT - 3]}...",
        "text": event.text,
        "host": event.host,
        "check": event.subject,
        "unit": event.unit or "",
        "event": event.event,
        "time": event.when,
        "id": event.id,
    }
    filled = template
    # In one pass: a value that looks like a place is no place.
    parts = filled.split("{{")
    out = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition("}}")
        value = words.get(name.strip())
        out.append(f"{_escaped(value, content_type)}{rest}" if closed and value is not None else "{{" + part)
    return "".join(out)


def _escaped(value: str, content_type: str) -> str:
    if "json" in content_type:
        return json.dumps(value)[1:-1]
    if "x-www-form-urlencoded" in content_type:
        return quote_plus(value)
    return value


def _run(argv: tuple[str, ...], given: bytes, seconds: float) -> None:
    done = completed(argv, seconds, given)
    if done.code != 0:
        raise UndeliveredError(f"{argv[0]} ended with {done.code}: {last_line(done.out)}")
