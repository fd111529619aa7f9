import * as pulumi from "@pulumi/pulumi";
import { healthProgram } from "../activation/health/program.ts";
import { reported, validArguments } from "./argument-error.ts";
import { componentNameProblem } from "./argument-schema.ts";
import { built, mapped } from "./deferred.ts";
import type { Definition } from "./definition.ts";
import { healthProgramPath, healthScope } from "./health-check-sections.ts";
import { secretCommandProblem } from "./health-gate.ts";
import { type NotifierArgs, type NotifierPlain, notifierSchema, notifierSettings } from "./notifier-args.ts";
import { deliverySections, failureSections, notifierSettingsPath } from "./notifier-sections.ts";
import { checkedWithoutEcho } from "./secret-values.ts";
import { Unit, unitArgsOf } from "./unit.ts";
import { waivedSections } from "./waiver.ts";

export type { MailArgs, NotifierArgs, NotifierReference, SendmailArgs, WebhookArgs } from "./notifier-args.ts";
export { MailSecurity, notifierSchema, WebhookShape } from "./notifier-args.ts";

/**
 * Who is told, and how: by mail, webhooks (generic JSON, Slack, Teams, an SMS provider's request), a program. Give it to
 * the `notify` of a HealthCheck, or to `OnFailure=` of any unit, as `onFailure`.
 *
 * An event is first written to disk on the host, then sent by a unit of its own, `NAME.service`: a mail server that hangs
 * delays no check. What cannot be sent is kept for `keepSec` and tried again, each time after a longer pause, also after a
 * reboot; each channel by itself, in order. Passwords, headers and URLs stand in one file that only root reads.
 *
 * @example
 * ```ts
 * const ops = new Notifier("ops", {
 *   mail: { host: "mail.example.org", from: "web@example.org", to: ["ops@example.org"], user: "web", password },
 *   webhooks: { chat: { url: chatUrl, shape: "slack" } },
 * });
 * const backup = new Service("nightly-backup", { exec: ["/usr/local/bin/backup"], unit: { OnFailure: [ops.onFailure] } });
 * ```
 */
export class Notifier extends pulumi.ComponentResource {
  static readonly __pulumiType = "systemd:index:Notifier";

  /** File name of the unit that sends: `NAME.service`. */
  readonly unitName: string;
  /** Value for `OnFailure=` of a unit: `NAME@%n.service`. */
  readonly onFailure: string;
  /** What a Host needs of this notifier. */
  readonly definition: pulumi.Output<Definition>;

  /** @throws pulumi.ResourceError naming the argument or directive, what was received, and what is accepted */
  constructor(name: string, args: NotifierArgs, opts?: pulumi.ComponentResourceOptions) {
    super(Notifier.__pulumiType, name, {}, opts);
    this.unitName = `${name}.service`;
    this.onFailure = `${name}@%n.service`;
    this.definition = reported(this, name, () => notifierDefinition(this, name, args));
    this.registerOutputs({ unitName: this.unitName, onFailure: this.onFailure });
  }
}

/** The name is part of paths, and of StateDirectory=, where `:` and `\` have a meaning. */
const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

function notifierDefinition(notifier: Notifier, name: string, args: NotifierArgs): pulumi.Output<Definition> {
  const nameProblem = componentNameProblem(name, ".service");
  if (nameProblem !== undefined) throw new Error(nameProblem);
  if (!nameForm.test(name)) {
    throw new Error(`${JSON.stringify(name)} is no name of a notifier; use letters, digits and . _ -`);
  }
  const scope = healthScope(pulumi.getProject(), pulumi.getStack());
  const { mail, webhooks, command, ...open } = args;
  // What may hold a secret is no part of a unit: only whether there is a channel.
  const shape = built({ ...open, command: ["/bin/true"] }, (plain) => {
    return reported(notifier, name, () => validArguments(notifierSchema, plain));
  });
  // Tokens hide in URLs and headers, and a stack's config hands them over as plain text: all of it is a secret.
  const known: pulumi.Output<unknown> = pulumi.secret(args);
  const text = pulumi.all([known, pulumi.isSecret(pulumi.output(command))]).apply(([plain, isSecret]) => {
    const settingsText = (open: unknown) => {
      if (isSecret) throw new Error(secretCommandProblem);
      return `${JSON.stringify(notifierSettings(name, validArguments(notifierSchema, open)), undefined, 2)}\n`;
    };
    return checkedWithoutEcho(known, plain, (open) => reported(notifier, name, () => settingsText(open)), args);
  });
  const parent = { parent: notifier };
  const sending = new Unit(
    notifier.unitName,
    {
      ...unitArgsOf(
        mapped(shape, (plain) => waivedSections(deliverySections(scope, name, plain), plain.waive)),
        ["Unit", "Service", "Install", "waive"],
      ),
      onDemand: true,
      restartOnFiles: [notifierSettingsPath(name), healthProgramPath(scope)],
    },
    parent,
  );
  const failing = new Unit(
    `${name}@.service`,
    unitArgsOf(
      mapped(shape, (plain: NotifierPlain) => waivedSections(failureSections(scope, name), plain.waive)),
      ["Unit", "Service", "waive"],
    ),
    parent,
  );
  return pulumi.all([sending.definition, failing.definition, text]).apply(([sends, fails, content]) => ({
    units: [...sends.units, ...fails.units],
    files: [
      { path: healthProgramPath(scope), mode: "0644", content: healthProgram(), secret: false },
      { path: notifierSettingsPath(name), mode: "0600", content, secret: true },
    ],
    users: [],
    releases: [],
  }));
}
