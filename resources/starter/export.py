"""Writes the trained model as a GGUF file that llama.cpp reads."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer
from torch import Tensor

from .model import Model, Shape
from .tokenizer import END, START

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}"
)
_BLOCK_TENSORS = {
    "attn_norm": "attn_norm",
    "q.weight": "attn_q",
    "k.weight": "attn_k",
    "v.weight": "attn_v",
    "o.weight": "attn_output",
    "ffn_norm": "ffn_norm",
    "gate.weight": "ffn_gate",
    "up.weight": "ffn_up",
    "down.weight": "ffn_down",
}


def _interleaved(weight: Tensor, heads: int, head_width: int) -> Tensor:
    """Rows of q or k from half-split rotary order, as trained, to the interleaved order that llama.cpp expects."""
    return weight.view(heads, 2, head_width // 2, -1).transpose(1, 2).reshape(heads * head_width, -1)


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer, size: int) -> None:
    state = json.loads(tokenizer.to_str())
    tokens = [f"<|unused{index}|>" for index in range(size)]
    types = [gguf.TokenType.UNUSED] * size
    for token, index in state["model"]["vocab"].items():
        tokens[index], types[index] = token, gguf.TokenType.NORMAL
    for added in state["added_tokens"]:
        tokens[added["id"]], types[added["id"]] = added["content"], gguf.TokenType.CONTROL
    start, end = tokens.index(START), tokens.index(END)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(
        [merge if isinstance(merge, str) else " ".join(merge) for merge in state["model"]["merges"]]
    )
    writer.add_bos_token_id(start)
    writer.add_eos_token_id(end)
    writer.add_eot_token_id(end)
    writer.add_pad_token_id(end)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _add_description(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_name("Orcinus Starter")
    writer.add_description(
        "A tiny chat model, trained from scratch on made-up dialogues; it only shows that the app works."
    )
    writer.add_license("Apache-2.0")
    writer.add_languages(["en"])
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _add_tensor(writer: gguf.GGUFWriter, name: str, tensor: Tensor) -> None:
    values = tensor.detach().float().contiguous().numpy().astype(np.float32)
    if values.ndim == 1:
        writer.add_tensor(name, values)
    else:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)


def export(model: Model, tokenizer: Tokenizer, path: Path) -> int:
    """Writes the file with Q8_0 weights (norms stay F32) and returns its size in bytes."""
    shape = model.shape
    writer = gguf.GGUFWriter(path, "llama")
    _add_description(writer, shape)
    _add_tokenizer(writer, tokenizer, shape.vocabulary)
    _add_tensor(writer, "token_embd.weight", model.embedding.weight)
    _add_tensor(writer, "output_norm.weight", model.norm)
    state = model.state_dict()
    for layer in range(shape.layers):
        for ours, theirs in _BLOCK_TENSORS.items():
            tensor = state[f"blocks.{layer}.{ours}"]
            if theirs in ("attn_q", "attn_k"):
                heads = shape.heads if theirs == "attn_q" else shape.kv_heads
                tensor = _interleaved(tensor, heads, shape.head_width)
            _add_tensor(writer, f"blk.{layer}.{theirs}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.stat().st_size
