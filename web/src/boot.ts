// Runs before the first paint: the stored theme and language must not flash.
const theme = localStorage.getItem("theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
const asked = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem("lang");
const korean = asked ? asked === "ko" : navigator.language.startsWith("ko");
document.documentElement.lang = korean ? "ko" : "en";

export {};
