// What three.js makes of a move: loads a GLB and says where its moving camera is at each of the given times.
import { AnimationMixer, LoopOnce, type PerspectiveCamera } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

async function poses(base64: string, times: number[]): Promise<unknown> {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const gltf = await new GLTFLoader().parseAsync(bytes.buffer, "");
  const camera = gltf.cameras[1] as PerspectiveCamera;
  const mixer = new AnimationMixer(gltf.scene);
  const clip = gltf.animations[0]!;
  const action = mixer.clipAction(clip).setLoop(LoopOnce, 1);
  action.clampWhenFinished = true;
  action.play();
  const found = times.map((time) => {
    mixer.setTime(time);
    gltf.scene.updateMatrixWorld(true);
    return camera.matrixWorld.toArray();
  });
  const still = gltf.cameras[0]!.matrixWorld.toArray();
  return { found, still, fov: camera.fov, aspect: camera.aspect, seconds: clip.duration, channels: clip.tracks.length };
}

Object.assign(window, { poses });
