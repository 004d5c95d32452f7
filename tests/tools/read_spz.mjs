// What the reference implementation of SPZ finds in a file: how many splats, and how far one may orbit.
import { readFileSync } from "node:fs";
import createSpzModule from "@adobe/spz";

const spz = await createSpzModule();
const cloud = spz.loadSpzFromBuffer(new Uint8Array(readFileSync(process.argv[2])), { to: spz.CoordinateSystem.RUB });
const orbit = cloud.extensions.find((one) => "safeOrbitRadiusMin" in one);
const found = orbit && [orbit.safeOrbitElevationMin, orbit.safeOrbitElevationMax, orbit.safeOrbitRadiusMin];
process.stdout.write(`${JSON.stringify({ count: cloud.numPoints, orbit: found ?? null })}\n`);
