import "uplot/uplot.css";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/controls.css";
import "./app/shell.css";
import "./topology/topology.css";
import "./traffic/traffic.css";
import "./failover/failover.css";
import "./inspector/inspector.css";
import { render } from "preact";
import { App } from "./app/app.tsx";
import { startRouter } from "./app/router.ts";
import { start } from "./app/session.ts";
import { startLanguage } from "./i18n/i18n.ts";

startRouter();
await startLanguage();
render(<App />, document.getElementById("app")!);
start();
