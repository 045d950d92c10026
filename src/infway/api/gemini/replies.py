"""Replies of the Gemini API as types: what the API description shows and tests check."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType


class CandidateContent(Struct):
    """What a candidate says, in parts as in a request."""

    parts: list[dict[str, Any]] | UnsetType = UNSET
    role: str | UnsetType = UNSET


class ReplyCandidate(Struct, rename="camel"):
    """One answer; why it ended is said in the last object of a stream."""

    content: CandidateContent | UnsetType = UNSET
    index: int | UnsetType = UNSET
    finish_reason: str | UnsetType = UNSET
    grounding_metadata: dict[str, Any] | UnsetType = UNSET
    citation_metadata: dict[str, Any] | UnsetType = UNSET
    logprobs_result: dict[str, Any] | UnsetType = UNSET


class UsageMetadata(Struct, rename="camel"):
    """Tokens as counted by the upstream: those of thoughts apart from those of the answer."""

    prompt_token_count: int | UnsetType = UNSET
    candidates_token_count: int | UnsetType = UNSET
    thoughts_token_count: int | UnsetType = UNSET
    cached_content_token_count: int | UnsetType = UNSET
    total_token_count: int | UnsetType = UNSET


class GenerateReply(Struct, rename="camel"):
    """A whole reply, or what a stream says at once. `cost` in USD, where `usage.include` asked."""

    candidates: list[ReplyCandidate]
    usage_metadata: UsageMetadata | UnsetType = UNSET
    model_version: str | UnsetType = UNSET
    response_id: str | UnsetType = UNSET
    cost: float | UnsetType = UNSET


class TokensReply(Struct, rename="camel"):
    """How many tokens the model reads."""

    total_tokens: int


class ContentEmbedding(Struct):
    """One vector."""

    values: list[float]


class EmbedReply(Struct, rename="camel"):
    """The vector of one content."""

    embedding: ContentEmbedding
    usage_metadata: UsageMetadata | UnsetType = UNSET


class BatchEmbedReply(Struct, rename="camel"):
    """A vector for each request, in their order."""

    embeddings: list[ContentEmbedding]
    usage_metadata: UsageMetadata | UnsetType = UNSET
