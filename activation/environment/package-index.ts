import { stringify } from "ini";

/** Where an environment's packages come from. */
export interface PackageIndex {
  readonly url?: string | undefined;
  readonly extraUrls?: readonly string[] | undefined;
  readonly trustedHosts?: readonly string[] | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** The settings of both installers, each as the file that it reads. Secret where the index has a password. */
export interface IndexFiles {
  readonly pip: string;
  readonly uv: string;
}

/**
 * `pip.conf` and `uv.toml` for an index. The credentials go to `url` alone, never to `extraUrls`.
 * @throws Error naming the field that is wrong; no password is in it
 */
export function indexFiles(index: PackageIndex): IndexFiles {
  const url = index.url === undefined ? undefined : withCredentials("url", index.url, index);
  const extra = (index.extraUrls ?? []).map((each, at) => withCredentials(`extraUrls[${at}]`, each, {}));
  const trusted = index.trustedHosts ?? [];
  // pip takes several values in one option, separated by blanks.
  const pip = {
    ...(url === undefined ? {} : { "index-url": url }),
    ...(extra.length === 0 ? {} : { "extra-index-url": extra.join(" ") }),
    ...(trusted.length === 0 ? {} : { "trusted-host": trusted.join(" ") }),
  };
  const uv = [
    ...(trusted.length === 0 ? [] : [`allow-insecure-host = ${JSON.stringify(trusted)}`]),
    ...extra.map((each) => `[[index]]\nurl = ${JSON.stringify(each)}`),
    ...(url === undefined ? [] : [`[[index]]\nurl = ${JSON.stringify(url)}\ndefault = true`]),
  ];
  return { pip: stringify({ global: pip }, { whitespace: true }), uv: `${uv.join("\n")}\n` };
}

function withCredentials(field: string, text: string, { username, password }: PackageIndex): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`packageIndex.${field}: is no URL; write one such as https://pypi.example.org/simple`);
  }
  if (!/^https?:$/.test(url.protocol)) throw new Error(`packageIndex.${field}: must begin with https:// or http://`);
  if (url.username !== "" || url.password !== "") {
    throw new Error(`packageIndex.${field}: holds credentials; give them as username and password`);
  }
  // pip reads the file as it stands, without the quotes and escapes that these would get in it.
  if (/[\s"'#;=\\]/.test(text)) {
    throw new Error(`packageIndex.${field}: holds a blank, a quote or one of # ; = \\, which is to be percent-encoded`);
  }
  if (username !== undefined) url.username = encodedUserInfo(username);
  if (password !== undefined) url.password = encodedUserInfo(password);
  return url.href;
}

function encodedUserInfo(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
