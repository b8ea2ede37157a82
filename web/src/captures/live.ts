// The line that shows frames in Wireshark as they pass, for each system's shell.

export const systems = ["linux", "macos", "windows"] as const;
export type System = (typeof systems)[number];

/** Names are the same in every language. */
export const systemNames: Readonly<Record<System, string>> = {
  linux: "Linux",
  macos: "macOS",
  windows: "Windows",
};

export function systemOf(userAgent: string): System {
  if (/Windows/i.test(userAgent)) return "windows";
  return /Macintosh|Mac OS/i.test(userAgent) ? "macos" : "linux";
}

/**
 * Pipes the stream into Wireshark. PowerShell's pipe would turn bytes into text, so on
 * Windows cmd's is used; there and on macOS Wireshark is not on the path.
 */
export function liveCommand(system: System, address: string): string {
  switch (system) {
    case "windows":
      return `cmd /c "curl -N ^"${address}^" | ^"C:\\Program Files\\Wireshark\\Wireshark.exe^" -k -i -"`;
    case "macos":
      return `curl -N '${address}' | /Applications/Wireshark.app/Contents/MacOS/Wireshark -k -i -`;
    case "linux":
      return `curl -N '${address}' | wireshark -k -i -`;
  }
}
