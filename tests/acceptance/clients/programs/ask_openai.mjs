// openai-js: chat completions, as `bascule env openai` points it.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { MODEL, TASK, Told, same } from "./told.mjs";

const client = new OpenAI({ maxRetries: 0, timeout: 30_000 });
const told = new Told();
const tool = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather in a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const user = (text) => [{ role: "system", content: "Be brief." }, { role: "user", content: text }];
const called = (call) => [call.function.name, JSON.parse(call.function.arguments)];

async function ask(messages, more = {}) {
  const done = await client.chat.completions.create({ model: MODEL, messages, ...more });
  told.used(done.usage.prompt_tokens, done.usage.completion_tokens);
  return done.choices[0];
}

await told.step("plain", async () => {
  const choice = await ask(user(TASK.question));
  same([choice.message.content, choice.finish_reason], [TASK.answer, "stop"]);
});
await told.step("stream", async () => {
  const options = { stream_options: { include_usage: true } };
  const stream = client.chat.completions.stream({ model: MODEL, messages: user(TASK.question), ...options });
  const done = await stream.finalChatCompletion();
  told.used(done.usage.prompt_tokens, done.usage.completion_tokens);
  same(done.choices[0].message.content, TASK.answer);
});
await told.step("tools", async () => {
  const messages = user(TASK.call);
  const choice = await ask(messages, { tools: [tool] });
  const [call] = choice.message.tool_calls;
  same([called(call), choice.finish_reason], [["weather", { city: TASK.city }], "tool_calls"]);
  messages.push(choice.message, { role: "tool", tool_call_id: call.id, content: TASK.weather });
  same((await ask(messages, { tools: [tool] })).message.content, TASK.answer);
  const stream = client.chat.completions.stream({ model: MODEL, messages: user(TASK.call), tools: [tool] });
  const [streamed] = (await stream.finalMessage()).tool_calls;
  same(called(streamed), ["weather", { city: TASK.city }]);
});
await told.step("schema", async () => {
  const person = z.object({ name: z.string(), age: z.number() });
  const format = zodResponseFormat(person, "person");
  const done = await client.chat.completions.parse({
    model: MODEL,
    messages: user(TASK.question),
    response_format: format,
  });
  const { name, age } = done.choices[0].message.parsed;
  same([name, typeof age], [TASK.person.name, "number"]);
});
await told.step("models", async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  same(names.includes(MODEL), true);
});
told.end();
