"""AWS Bedrock's Converse format, as providers speak it: nothing here is a client's dialect."""

from bascule.dialects.bedrock_converse.dialect import BEDROCK_CONVERSE, BedrockConverse

__all__ = ["BEDROCK_CONVERSE", "BedrockConverse"]
