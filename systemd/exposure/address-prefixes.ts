/** An IP address prefix of IPAddressAllow= or IPAddressDeny=, as far as the exposure test looks at it. */
export interface AddressPrefix {
  readonly family: "ipv4" | "ipv6";
  /** Whether it covers every address of its family. */
  readonly any: boolean;
  /** Whether it stands for this host: its address, cut to the prefix, is in 127.0.0.0/8 or ::1. */
  readonly localhost: boolean;
}

const both = (prefix: Omit<AddressPrefix, "family">): readonly AddressPrefix[] => [
  { family: "ipv4", ...prefix },
  { family: "ipv6", ...prefix },
];

const shorthands: Readonly<Record<string, readonly AddressPrefix[]>> = {
  any: both({ any: true, localhost: false }),
  localhost: both({ any: false, localhost: true }),
  "link-local": both({ any: false, localhost: false }),
  multicast: both({ any: false, localhost: false }),
};

/** The prefixes after one more assignment; an empty one takes all back, an item that is no prefix is ignored. */
export function prefixesAfter(value: string, before: readonly AddressPrefix[]): readonly AddressPrefix[] {
  if (value === "") return [];
  return [...before, ...value.split(/\s+/).flatMap((word) => shorthands[word] ?? prefixOf(word))];
}

function prefixOf(word: string): readonly AddressPrefix[] {
  const [address = "", lengthText, ...more] = word.split("/");
  if (more.length > 0 || (lengthText !== undefined && !/^\d{1,3}$/.test(lengthText))) return [];
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (octets !== undefined) {
    const length = Number(lengthText ?? 32);
    if (length > 32 || octets.some((octet) => octet > 255)) return [];
    const first = (octets[0] ?? 0) & (length >= 8 ? 0xff : 0xff00 >> length);
    return [{ family: "ipv4", any: length === 0, localhost: first === 127 }];
  }
  const length = Number(lengthText ?? 128);
  const canonical = canonicalIpv6(address);
  if (canonical === undefined || length > 128) return [];
  return [{ family: "ipv6", any: length === 0, localhost: canonical === "::1" && length === 128 }];
}

function canonicalIpv6(address: string): string | undefined {
  if (!/^[\da-f:.]+$/i.test(address) || !address.includes(":")) return undefined;
  const url = `http://[${address}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}
