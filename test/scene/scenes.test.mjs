import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { play } from "./player.mjs";

const here = import.meta.dirname;
for (const name of readdirSync(here).filter((n) => n.endsWith(".scene")).sort()) {
  test(name, () => play(join(here, name)));
}
