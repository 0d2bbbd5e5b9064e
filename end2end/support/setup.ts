// Runs once, before the first test; what it answers runs after the last.

import { start } from "./platform";

export default start;
