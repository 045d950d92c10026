// The Vercel AI SDK through a gateway: answers, streams, a tool and vectors, as JSON on standard output.
// `node client.mjs BASE_URL KEY`
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false; // they go to standard output
const [base, apiKey] = process.argv.slice(2);
const MODEL = "teller-frameworks";
const baseURL = `${base}/v1`;
const openai = createOpenAI({ baseURL, apiKey });
const compatible = createOpenAICompatible({ name: "infway", baseURL, apiKey, includeUsage: true });
const anthropic = createAnthropic({ baseURL, apiKey });

const tools = {
  weather: tool({
    description: "Tell the weather at a location.",
    inputSchema: z.object({ location: z.string() }),
    execute: async ({ location }) => `18 degrees in ${location}`,
  }),
};

async function told(model) {
  const prompt = "What is the capital of France?";
  const asked = { model, tools, stopWhen: stepCountIs(3), prompt: "The weather in Tokyo?", maxRetries: 0 };
  const answer = await generateText({ model, prompt, maxRetries: 0 });
  const streamed = streamText({ model, prompt, maxRetries: 0 });
  let text = "";
  for await (const piece of streamed.textStream) text += piece;
  const used = await generateText(asked);
  const streamedUse = streamText(asked);
  await streamedUse.consumeStream();
  return {
    answer: answer.text,
    usage: [answer.usage.inputTokens, answer.usage.outputTokens],
    streamed: text,
    finish: await streamed.finishReason,
    used: used.text,
    streamed_use: await streamedUse.text,
  };
}

const vectors = await embedMany({
  model: compatible.textEmbeddingModel("vectors-frameworks"), values: ["a", "b"], maxRetries: 0,
});
console.log(JSON.stringify({
  chat: await told(openai.chat(MODEL)),
  compatible: await told(compatible.chatModel(MODEL)),
  responses: await told(openai.responses(MODEL)),
  messages: await told(anthropic(MODEL)),
  vectors: vectors.embeddings,
}));
