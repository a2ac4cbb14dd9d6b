// Vercel's AI SDK: its own tool loop over each of its providers. Base URLs end as each of its providers wants it.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { KEY, MODEL, SURFACE, TASK, Told, URL_, same } from "./told.mjs";

const v1 = { baseURL: `${URL_}/v1`, apiKey: KEY };
const compatible = { ...v1, name: "bascule", includeUsage: true, supportsStructuredOutputs: true };
const models = {
  openai_chat: () => createOpenAICompatible(compatible)(MODEL),
  openai_responses: () => createOpenAI(v1).responses(MODEL),
  anthropic_messages: () => createAnthropic(v1)(MODEL),
  gemini: () => createGoogle({ baseURL: `${URL_}/v1beta`, apiKey: KEY })(MODEL),
};
const model = models[SURFACE]();
const told = new Told();
let asked = [];
const weather = tool({
  description: "The weather in a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async (given) => {
    asked.push(given);
    return TASK.weather;
  },
});
const looped = () => ({ model, prompt: TASK.call, tools: { weather }, stopWhen: stepCountIs(3), maxRetries: 0 });

function used(steps) {
  for (const { usage } of steps) told.used(usage.inputTokens, usage.outputTokens);
}

await told.step("plain", async () => {
  const done = await generateText({ model, instructions: "Be brief.", prompt: TASK.question, maxRetries: 0 });
  used(done.steps);
  same([done.text, done.finishReason], [TASK.answer, "stop"]);
});
await told.step("stream", async () => {
  const done = streamText({ model, prompt: TASK.question, maxRetries: 0 });
  let text = "";
  for await (const piece of done.textStream) text += piece;
  used(await done.steps);
  same([text, await done.finishReason], [TASK.answer, "stop"]);
});
await told.step("tools", async () => {
  const whole = await generateText(looped());
  used(whole.steps);
  same([asked, whole.text, whole.steps.length], [[{ city: TASK.city }], TASK.answer, 2]);
  asked = [];
  const streamed = streamText(looped());
  same([await streamed.text, asked], [TASK.answer, [{ city: TASK.city }]]);
  used(await streamed.steps);
});
await told.step("schema", async () => {
  // Anthropic's provider forces a tool called json where it does not know the model, unless it is told otherwise.
  const prompt = TASK.person_call.replace("Person", "json");
  const output = Output.object({ schema: z.object({ name: z.string(), age: z.number() }) });
  const whole = await generateText({ model, prompt, output, maxRetries: 0 });
  same([whole.output.name, typeof whole.output.age], [TASK.person.name, "number"]);
  const providerOptions = { anthropic: { structuredOutputMode: "outputFormat" } };
  const native = await generateText({ model, prompt: TASK.question, output, providerOptions, maxRetries: 0 });
  same([native.output.name, typeof native.output.age], [TASK.person.name, "number"]);
});
told.end();
