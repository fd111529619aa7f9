import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { hostPath, sectionDirectives } from "./argument-schema.ts";
import type { Definition } from "./definition.ts";
import { programAndArguments, requestUrl, secondsOf, spanOf, urlProblem } from "./health-probe-args.ts";
import type { ServiceSectionArgs } from "./section-args.generated.ts";
import { type WaiverArgs, waivers } from "./waiver.ts";

/** Who is told: a `Notifier`. */
export interface NotifierReference {
  /** File name of the unit that sends: `NAME.service`. */
  unitName: string;
  /** Units and files to bring to the host. */
  definition: pulumi.Input<Definition>;
}

/** How a mail server is spoken to. */
export const MailSecurity = {
  /** In clear at first, then TLS before anything is said; port 587. */
  StartTls: "starttls",
  /** TLS from the first byte; port 465. */
  Tls: "tls",
  /** In clear: to the host itself alone (`127.0.0.1`, `::1`, `localhost`); port 25. */
  None: "none",
} as const;
export type MailSecurity = (typeof MailSecurity)[keyof typeof MailSecurity];

/** Mail over SMTP. */
export interface MailArgs {
  /** The mail server, as seen from the host. */
  host: pulumi.Input<string>;
  /** Its port. Default: 587 for `starttls`, 465 for `tls`, 25 for `none`. */
  port?: pulumi.Input<number>;
  /** Default: `starttls`. */
  security?: pulumi.Input<MailSecurity>;
  /** File of certificates on the host to trust in place of the system's. Default: the system's. */
  caFile?: pulumi.Input<string>;
  /** Name to log in with. Default: no login. */
  user?: pulumi.Input<string>;
  /** Password to log in with; make it a secret. Default: none. */
  password?: pulumi.Input<string>;
  /** Address of the sender. */
  from: pulumi.Input<string>;
  /** Addresses of those who are told. */
  to: pulumi.Input<pulumi.Input<string>[]>;
}

/** Mail through the mail server of the host itself. */
export interface SendmailArgs {
  /** The program, by its absolute path. Default: `/usr/sbin/sendmail`. */
  program?: pulumi.Input<string>;
  /** Address of the sender. */
  from: pulumi.Input<string>;
  /** Addresses of those who are told. */
  to: pulumi.Input<pulumi.Input<string>[]>;
}

/** What a webhook receives. */
export const WebhookShape = {
  /** The event as it is: `id`, `time`, `host`, `check`, `unit`, `event`, `priority`, `text`, `journal`. */
  Json: "json",
  /** An incoming webhook of Slack, Mattermost and others. */
  Slack: "slack",
  /** A workflow of Teams: an adaptive card. */
  Teams: "teams",
  /** What `template` says, such as the request of an SMS provider. */
  Template: "template",
  /**
   * A check of healthchecks.io and others: `/start`, nothing or `/fail` behind the URL, the log's tail as the body. It gets each
   * run of a timer that a HealthCheck watches (`runsOf`), and failures (`OnFailure=`), and nothing else.
   */
  Ping: "ping",
} as const;
export type WebhookShape = (typeof WebhookShape)[keyof typeof WebhookShape];

/** A POST. */
export interface WebhookArgs {
  /** Address; make it a secret where it holds a token. */
  url: pulumi.Input<string>;
  /** Default: `template` where one is given, else `json`. */
  shape?: pulumi.Input<WebhookShape>;
  /**
   * Body for the shape `template`. `{{short}}` (at most 150 characters, for SMS), `{{title}}`, `{{text}}`, `{{host}}`,
   * `{{check}}`, `{{unit}}`, `{{event}}`, `{{time}}` and `{{id}}` are filled in as the content type needs it. Default: none.
   */
  template?: pulumi.Input<string>;
  /** Default: `application/json`, or `text/plain; charset=utf-8` for a ping. */
  contentType?: pulumi.Input<string>;
  /** Further headers, such as `Authorization`; make those a secret. Default: none. */
  headers?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  /** File of certificates on the host to trust in place of the system's. Default: the system's. */
  caFile?: pulumi.Input<string>;
}

/** Arguments of `Notifier`. At least one of `mail`, `sendmail`, `webhooks` and `command`. */
export interface NotifierArgs {
  /** Mail over SMTP. Default: none. */
  mail?: pulumi.Input<MailArgs>;
  /** Mail through the host's own mail server. Default: none. */
  sendmail?: pulumi.Input<SendmailArgs>;
  /** POST requests by a name for each. Default: none. */
  webhooks?: pulumi.Input<{ [name: string]: pulumi.Input<WebhookArgs> }>;
  /** A program by its absolute path, and its arguments; it gets the event as JSON on its standard input. Default: none. */
  command?: pulumi.Input<pulumi.Input<string>[]>;
  /** Time for one attempt, a time span. Default: `20s`. */
  timeoutSec?: pulumi.Input<string>;
  /** Pause after a failed attempt, doubled by each further one, a time span. Default: `30s`. */
  retrySec?: pulumi.Input<string>;
  /** Longest such pause, a time span. Default: `15min`. */
  retryMaxSec?: pulumi.Input<string>;
  /** How long an event is kept that cannot be sent, a time span. Default: `7d`. */
  keepSec?: pulumi.Input<string>;
  /** Time in which a unit that fails again is not told again, for `OnFailure=`; a time span. Default: `10min`. */
  quietSec?: pulumi.Input<string>;
  /** Lines of the unit's journal in the message about its failure, 0 to 200. Default: 20. */
  journalLines?: pulumi.Input<number>;
  /** Any directive of [Service] of the unit that sends, by its systemd name. Default: none. */
  service?: pulumi.Input<ServiceSectionArgs>;
  /** Lints and policies that the notifier's units may break until a date, each with a reason. Default: none. */
  waive?: pulumi.Input<pulumi.Input<WaiverArgs>[]>;
}

const address = z.string().regex(/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/, {
  error: ({ input }) => `${JSON.stringify(input)} is not a mail address; write e.g. ops@example.org`,
});
const addresses = z.array(address).min(1, "is empty; give at least one mail address");
const header = z.string().regex(/^[^\r\n\0]*$/, "holds a line break");
const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

const mail = z
  .strictObject({
    host: z.string().regex(/^[A-Za-z0-9._:-]+$/, "is not an address or host name; write e.g. mail.example.org"),
    port: z.number().int().min(1).max(65535).optional(),
    security: z.enum(["starttls", "tls", "none"]).optional(),
    caFile: hostPath.optional(),
    user: z.string().min(1).optional(),
    password: z.string().min(1).optional(),
    from: address,
    to: addresses,
  })
  .superRefine(({ host, security, user, password }, context) => {
    if (security === "none" && !loopback.test(host)) {
      const message = `is none, but ${host} is another machine; use starttls or tls`;
      context.addIssue({ code: "custom", path: ["security"], message });
    }
    if ((user === undefined) !== (password === undefined)) {
      context.addIssue({ code: "custom", message: "has one of user and password; give both or none" });
    }
  });

const webhook = z
  .strictObject({
    url: z.string().superRefine((text, context) => {
      const problem = urlProblem(text, "https://hooks.example.org/x");
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    }),
    shape: z.enum(["json", "slack", "teams", "template", "ping"]).optional(),
    template: z.string().optional(),
    contentType: header.optional(),
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, "is no name of a header"), header).optional(),
    caFile: hostPath.optional(),
  })
  .superRefine(({ shape, template }, context) => {
    if ((shape ?? "template") === "template" ? shape !== undefined && template === undefined : template !== undefined) {
      const message =
        template === undefined ? "is missing; the shape is template" : `is given, but the shape is ${shape}`;
      context.addIssue({ code: "custom", path: ["template"], message });
    }
  });

const span = spanOf(0.1, "a time span above 0");
const channelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, {
  error: ({ input }) => `${JSON.stringify(input)} is no name of a webhook; use letters, digits and . _ -`,
});

/** `NotifierArgs` after all Outputs are known. */
export const notifierSchema = z
  .strictObject({
    mail: mail.optional(),
    sendmail: z.strictObject({ program: hostPath.optional(), from: address, to: addresses }).optional(),
    webhooks: z.record(channelName, webhook).optional(),
    command: programAndArguments.optional(),
    timeoutSec: span.optional(),
    retrySec: span.optional(),
    retryMaxSec: span.optional(),
    keepSec: spanOf(60, "a time span of at least 1 min").optional(),
    quietSec: spanOf(0, "a time that ends").optional(),
    journalLines: z.number().int().min(0).max(200).optional(),
    service: sectionDirectives("service", "Service").optional(),
    waive: waivers.optional(),
  })
  .superRefine(({ mail, sendmail, webhooks, command }, context) => {
    if (mail ?? sendmail ?? command ?? Object.keys(webhooks ?? {})[0]) return;
    const message = "has no channel; give at least one of mail, sendmail, webhooks, command";
    context.addIssue({ code: "custom", message });
  });

export type NotifierPlain = z.infer<typeof notifierSchema>;

/** What the program on the host reads of a Notifier (activation/health/pulumi_systemd_health/notifier_settings.py). */
export interface NotifierSettings {
  format: 1;
  name: string;
  channels: Record<string, unknown>[];
  timeoutSec: number;
  retrySec: number;
  retryMaxSec: number;
  keepSec: number;
  quietSec: number;
  journalLines: number;
}

const ports = { starttls: 587, tls: 465, none: 25 } as const;

/** The settings of a notifier, every default filled in, times in seconds. They hold its secrets. */
export function notifierSettings(name: string, args: NotifierPlain): NotifierSettings {
  return {
    format: 1,
    name,
    channels: [...mails(args), ...webhooks(args), ...commands(args)],
    timeoutSec: secondsOf(args.timeoutSec ?? "20s"),
    retrySec: secondsOf(args.retrySec ?? "30s"),
    retryMaxSec: secondsOf(args.retryMaxSec ?? "15min"),
    keepSec: secondsOf(args.keepSec ?? "7d"),
    quietSec: secondsOf(args.quietSec ?? "10min"),
    journalLines: args.journalLines ?? 20,
  };
}

function mails({ mail: given, sendmail }: NotifierPlain): Record<string, unknown>[] {
  const security = given?.security ?? "starttls";
  const found: Record<string, unknown>[] = [];
  if (given !== undefined) {
    found.push({
      kind: "mail",
      name: "mail",
      host: given.host,
      port: given.port ?? ports[security],
      security,
      caFile: given.caFile ?? null,
      user: given.user ?? null,
      password: given.password ?? null,
      from: given.from,
      to: given.to,
    });
  }
  if (sendmail !== undefined) {
    const program = sendmail.program ?? "/usr/sbin/sendmail";
    found.push({ kind: "sendmail", name: "sendmail", program, from: sendmail.from, to: sendmail.to });
  }
  return found;
}

function webhooks({ webhooks: given = {} }: NotifierPlain): Record<string, unknown>[] {
  return Object.entries(given).map(([name, hook]) => ({
    kind: "webhook",
    name: `webhook ${name}`,
    url: requestUrl(hook.url),
    shape: hook.shape ?? (hook.template === undefined ? "json" : "template"),
    template: hook.template ?? null,
    contentType: hook.contentType ?? (hook.shape === "ping" ? "text/plain; charset=utf-8" : "application/json"),
    headers: hook.headers ?? {},
    caFile: hook.caFile ?? null,
  }));
}

function commands({ command }: NotifierPlain): Record<string, unknown>[] {
  return command === undefined ? [] : [{ kind: "command", name: "command", command }];
}
