import assert from "node:assert/strict";
import { test } from "node:test";
import { changedElapses, clockChanges } from "../../systemd/calendar/clock-change.ts";

const from = Date.UTC(2026, 0, 1);
const to = Date.UTC(2027, 0, 1);
const iso = (time: number) => new Date(time).toISOString().slice(0, 16);
const changesIn = (zone: string) =>
  clockChanges(zone, from, to).map(({ kind, at, start, end }) => [kind, iso(at), iso(start), iso(end)]);

test("the changes of a zone's clocks, with what they skip or repeat", () => {
  assert.deepEqual(changesIn("Europe/Berlin"), [
    ["forward", "2026-03-29T01:00", "2026-03-29T02:00", "2026-03-29T03:00"],
    ["back", "2026-10-25T01:00", "2026-10-25T02:00", "2026-10-25T03:00"],
  ]);
  // Half an hour, and south of the equator.
  assert.deepEqual(changesIn("Australia/Lord_Howe"), [
    ["back", "2026-04-04T15:00", "2026-04-05T01:30", "2026-04-05T02:00"],
    ["forward", "2026-10-03T15:30", "2026-10-04T02:00", "2026-10-04T02:30"],
  ]);
  assert.deepEqual(changesIn("UTC"), []);
  assert.deepEqual(changesIn("Asia/Tokyo"), []);
});

test("only the changes between the two instants", () => {
  assert.equal(clockChanges("Europe/Berlin", Date.UTC(2026, 3, 1), Date.UTC(2027, 2, 1)).length, 1);
  assert.equal(clockChanges("Europe/Berlin", Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 2, 29, 2)).length, 1);
  assert.equal(clockChanges("Europe/Berlin", Date.UTC(2026, 2, 29, 1, 1), Date.UTC(2026, 9, 25, 1)).length, 0);
});

test("the elapses that a change touches, by the zone of the expression before that of the host", () => {
  const touched = (expression: string) =>
    changedElapses(expression, from, to, "Europe/Berlin").map(({ kind, wallClock }) => [kind, iso(wallClock)]);
  assert.deepEqual(touched("*-*-* 02:30:00"), [
    ["forward", "2026-03-29T02:30"],
    ["back", "2026-10-25T02:30"],
  ]);
  assert.deepEqual(touched("Mon 02:30"), []);
  assert.deepEqual(touched("*-*-* 03:00:00"), []);
  assert.deepEqual(touched("02:30 UTC"), []);
  assert.deepEqual(touched("02:30 America/New_York"), [["forward", "2026-03-08T02:30"]]);
});
