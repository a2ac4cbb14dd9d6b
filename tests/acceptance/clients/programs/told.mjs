// What a client's program is given and tells, as told.py does it for Python.

export const URL_ = process.env.CLIENT_URL;
export const KEY = process.env.CLIENT_KEY;
export const MODEL = process.env.CLIENT_MODEL;
export const SURFACE = process.env.CLIENT_SURFACE;
export const TASK = JSON.parse(process.env.CLIENT_TASK);

export function same(found, wanted) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${left} instead of ${right}`);
}

export class Told {
  steps = {};
  usage = [];

  async step(name, act) {
    try {
      await act();
      this.steps[name] = "ok";
    } catch (error) {
      console.error(error);
      this.steps[name] = `${error.name}: ${error.message}`.slice(0, 400);
    }
  }

  used(tokensIn, tokensOut) {
    if (!tokensIn || !tokensOut) throw new Error(`no usage was told: ${tokensIn}, ${tokensOut}`);
    this.usage.push([tokensIn, tokensOut]);
  }

  end() {
    console.log(JSON.stringify({ steps: this.steps, usage: this.usage }));
    process.exitCode = Object.values(this.steps).every((step) => step === "ok") ? 0 : 1;
  }
}
