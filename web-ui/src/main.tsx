import { render } from "preact";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/fields.css";
import "./ui/strobe.css";
import "./shell/shell.css";
import "./ui/forced.css";
import "./theme";
import { App } from "./app";
import { keepFocus } from "./ui/focus";

keepFocus();
render(<App />, document.getElementById("app")!);
