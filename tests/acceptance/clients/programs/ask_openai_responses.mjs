// openai-js: responses, as `bascule env openai` points it; nothing is kept at the provider.
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { MODEL, TASK, Told, same } from "./told.mjs";

const client = new OpenAI({ maxRetries: 0, timeout: 30_000 });
const told = new Told();
const tool = {
  type: "function",
  name: "weather",
  description: "The weather in a city",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
  strict: true,
};
const asked = (input, more = {}) => ({ model: MODEL, instructions: "Be brief.", input, store: false, ...more });
const user = (text) => [{ role: "user", content: text }];

function used(done) {
  told.used(done.usage.input_tokens, done.usage.output_tokens);
  return done;
}

function called(done) {
  const [call] = done.output.filter((item) => item.type === "function_call");
  same([call.name, JSON.parse(call.arguments)], ["weather", { city: TASK.city }]);
  return call;
}

await told.step("plain", async () => {
  const done = used(await client.responses.create(asked(TASK.question)));
  same([done.output_text, done.status], [TASK.answer, "completed"]);
});
await told.step("stream", async () => {
  const stream = client.responses.stream(asked(TASK.question));
  let text = "";
  for await (const event of stream) if (event.type === "response.output_text.delta") text += event.delta;
  const done = used(await stream.finalResponse());
  same([text, done.output_text], [TASK.answer, TASK.answer]);
});
await told.step("tools", async () => {
  const input = user(TASK.call);
  const first = used(await client.responses.create(asked(input, { tools: [tool] })));
  const call = called(first);
  input.push(...first.output, { type: "function_call_output", call_id: call.call_id, output: TASK.weather });
  same(used(await client.responses.create(asked(input, { tools: [tool] }))).output_text, TASK.answer);
  called(await client.responses.stream(asked(user(TASK.call), { tools: [tool] })).finalResponse());
});
await told.step("schema", async () => {
  const format = zodTextFormat(z.object({ name: z.string(), age: z.number() }), "person");
  const done = await client.responses.parse(asked(TASK.question, { text: { format } }));
  same([done.output_parsed.name, typeof done.output_parsed.age], [TASK.person.name, "number"]);
});
told.end();
