// Own icons, 16×16, drawn with the current colour.
const paths = {
  live: "M2 8h3l2-5 3 10 2-5h2",
  drills: "M8 2v6l4 2M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13",
  learn: "M1.5 6.2L8 3l6.5 3.2L8 9.4zM4.5 7.8v3.4c2 1.8 5 1.8 7 0V7.8M14.5 6.2v4",
  failovers:
    "M2 11.5h3.5l5-7H14M11.5 2L14 4.5 11.5 7M2 4.5h3.5l1.2 1.7M9.2 9.6l1.3 1.9H14M11.5 9L14 11.5 11.5 14",
  captures: "M3 3.5h10v9H3zM8 5.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4",
  rules: "M2.5 3.5h7M2.5 8h7M2.5 12.5h7M12 3.5l1 1 1.5-2M12 8l1 1 1.5-2M12.2 11.5l2 2M14.2 11.5l-2 2",
  ask: "M5.8 6a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 12.2v.1M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13",
  help: "M5.8 6a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 12.2v.1",
  close: "M4 4l8 8M12 4l-8 8",
  theme: "M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12",
  lock: "M4 7.5h8v6H4zM5.5 7.5V5.2a2.5 2.5 0 0 1 5 0v2.3",
  more: "M8 3.5v.1M8 8v.1M8 12.5v.1",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  plus: "M8 3v10M3 8h10",
  edit: "M3 13l.6-2.6 7.2-7.2 2 2-7.2 7.2zM9.6 4.4l2 2",
  minus: "M3 8h10",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2v9.6L12.5 8z",
  download: "M8 2.5v7.5M4.8 7L8 10.2 11.2 7M3 13h10",
  link: "M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2-2A2.6 2.6 0 0 0 8.8 3.5l-.7.7M9.2 6.8a2.6 2.6 0 0 0-3.7 0l-2 2a2.6 2.6 0 0 0 3.7 3.7l.7-.7",
  copy: "M5.5 5.5h8v8h-8zM3 10.5V2.8h7.5",
  check: "M3 8.5l3.2 3.2L13 4.8",
  cross: "M4 4l8 8M12 4l-8 8",
  dash: "M3.5 8h9",
  back: "M9.5 3.5L5 8l4.5 4.5",
  internet:
    "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M1.8 8h12.4M8 1.8c2.4 2 2.4 10.4 0 12.4M8 1.8c-2.4 2-2.4 10.4 0 12.4",
  nat: "M3 5.2h9.5M9.8 2.5l2.7 2.7-2.7 2.7M13 10.8H3.5M6.2 8.1l-2.7 2.7 2.7 2.7",
  transit: "M8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4M6.6 6.6L3 3M9.4 6.6L13 3M6.6 9.4L3 13M9.4 9.4L13 13",
  endpoint: "M3 3.5h10v4H3zM3 9h10v4H3zM5.5 5.5v.1M5.5 11v.1",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3L14 14",
  layers: "M8 2.5l6 3-6 3-6-3zM2.6 8.6L8 11.3l5.4-2.7M2.6 11.4L8 14l5.4-2.6",
  settings: "M2 4.5h6M11 4.5h3M9.5 3v3M2 11.5h3M8 11.5h6M6.5 10v3",
  panel: "M2.5 3h11v10h-11zM9.5 3v10",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon-svg" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
