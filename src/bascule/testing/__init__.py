"""For tests, here and in other people's projects: a provider that misbehaves on command, and builders.

`upstream.ScriptedUpstream` is a real HTTP server on loopback that speaks the provider's side of OpenAI's and
Anthropic's APIs, does what a `script.Script` says, and counts what it served.
"""
