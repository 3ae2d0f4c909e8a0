"""Reference token ids for the conversion of tokenizer files.

    python training/tokenizer_goldens.py

Trains two small tokenizers of the kinds that FLUX.1 has: SentencePiece unigram as T5's, byte-level
BPE as CLIP's. Writes tests/golden/tokenizers/{spiece.model,vocab.json,merges.txt} and ids.json, the
ids that transformers and sentencepiece give for texts that are hard to tokenize.
"""

from __future__ import annotations

import io
import json
import random
import tempfile
import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path

import sentencepiece
from tokenizers import Regex, Tokenizer, pre_tokenizers
from transformers import CLIPTokenizer, PreTrainedTokenizerFast, T5Tokenizer

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden" / "tokenizers"
T5_PIECES = 1200
CLIP_MERGES = 700
T5_TOKENS = 512
CLIP_TOKENS = 77
BOS, EOS = "<|startoftext|>", "<|endoftext|>"

CORPUS = """
a photo of a big red fox on a blue background, an oil painting in the style of the old masters
a close-up portrait of an elderly fisherman with deep wrinkles, dramatic rim lighting, 85mm lens, shallow depth of field
a highly detailed illustration of a castle on a hill at sunset, volumetric light, trending colours, 4k
the quick brown fox jumps over the lazy dog; the dog doesn't mind, it's asleep, and they're friends
we've seen that they'll paint what she'd like: "a small house", (two trees) and one river!
a watercolour of mountains reflected in a lake, morning fog, birds flying, soft pastel tones
a futuristic city with flying cars, neon signs, rain on the street, reflections, cinematic wide shot
a bowl of fruit: apples, bananas, grapes & oranges, 50% off, price $12.99 (or 11,50 €)
a cat wearing a wizard hat reading a book by candlelight in a library full of ancient books
an astronaut riding a horse on the moon, photorealistic, earth in the background, stars
a sign that says "HELLO WORLD" above the door of a bakery in Paris, spring, people walking by
isometric render of a tiny room with a desk, a computer, plants, posters and warm light
naïve café, Ångström, señor, über, straße, garçon, crème brûlée, fjörð, łódź, žluťoučký kůň
eine große rote Katze schläft auf dem alten Sofa, das Licht fällt durch das Fenster
un grand renard rouge sur un fond bleu, peinture à l'huile dans le style impressionniste
un zorro rojo y grande sobre un fondo azul, una fotografía en blanco y negro de la montaña
Большая рыжая лиса на синем фоне, картина маслом, зимний лес и замерзшая река на закате
портрет старого рыбака, мягкий свет, фотография высокого качества, город в тумане
Ένα κόκκινο σπίτι δίπλα στη θάλασσα, ο ήλιος και ο ουρανός, Οδυσσέας και Σίσυφος
ثعلب أحمر كبير على خلفية زرقاء، لوحة زيتية بأسلوب كلاسيكي، مدينة قديمة عند الغروب
שועל אדום גדול על רקע כחול, ציור שמן של בית קטן ליד הים
नीले रंग की पृष्ठभूमि पर एक बड़ी लाल लोमड़ी, सुंदर चित्र, पहाड़ और नदी, सूर्यास्त के समय
蓝色背景上的一只红色大狐狸，油画，细节丰富，日落时分的山和湖，古老的城市
青い背景の大きな赤い狐、油絵、細かいディテール、夕焼けの山と湖、猫は本を読んでいます
파란 배경에 큰 빨간 여우, 유화, 해질녘의 산과 호수, 작은 집과 고양이
หมาป่าสีแดงตัวใหญ่บนพื้นหลังสีน้ำเงิน ภาพวาดสีน้ำมัน
🦊 🐱 🌅 ❤️ ✨ 🎨 🏔️ a 🦊 fox and a 🐱 cat with ❤️ and ✨ sparkles, 🎨 art
1234567890 2024 1080p 3d 24mm f/1.8 ISO 100 16:9 #art @artist a_b c-d e—f … http://example.org/a?b=c
""".strip().split("\n")

TEXTS = [
    # Plain prompts.
    "a photo of a big red fox on a blue background",
    "A Photo Of A BIG RED FOX On A Blue Background.",
    "an astronaut riding a horse on the moon, photorealistic, 4k, trending",
    "it's a dog, they're cats; we'll see, she'd say I've been, don't I'm CAN'T IT'S",
    "o'clock rock'n'roll 'tis 'quoted' ''double'' s' 're 'LL",
    "“curly” ‘quotes’ it’s «guillemets» „low“",
    "supercalifragilisticexpialidocious antidisestablishmentarianism xqzjkw",
    "HELLO WORLD Hello World hELLO wORLD",
    # Empty and nearly.
    "",
    " ",
    "   ",
    "\n",
    "\t\n ",
    ".",
    "a",
    "▁",
    "\u200b",
    "\ufeff",
    "\u0000",
    "\u00ad",
    # White space.
    "  leading and trailing  ",
    "two  spaces   three    four",
    "tab\tnewline\ncarriage\r\nreturn\rend",
    "form\ffeed vertical\vtab next\u0085line",
    "a\u00a0fox\u2009on\u202fa\u3000blue\u1680\u2003background\u2028line\u2029paragraph",
    "zero\u200bwidth\u200cnon\u200djoiner \ufeffmark\ufeff !\ufeff! \u2060word",
    "\u001c\u001d\u001e\u001f separators",
    "\u0000nul \u0001\u0007\u0008 control \u001b[31m \u007f \u0080\u008f\u009f",
    "a ▁ b▁c ▁▁d",
    # Composition and compatibility.
    "café crème Ångström naïve",
    unicodedata.normalize("NFD", "café crème Ångström naïve žluťoučký kůň"),
    unicodedata.normalize("NFD", "파란 배경에 여우 が ぱ"),
    "q\u0301\u0323 x\u0303 a\u0301\u0301 \u0301alone e\u0300\u0301 ﬁ\u0301 ½\u0301",
    "ﬁne ﬂower ﬀ ﬃ ﬄ ﬅ Ĳ ǆ",
    "ｆｕｌｌ－ｗｉｄｔｈ　ＦＯＸ１２３！？～ ｶﾞﾊﾟｱ",
    "① ② Ⅳ ⅷ ½ ¾ x² H₂O ™ ℡ № ㎏ ㍿ ℃ K Å Ω",
    "ﷺ ﻻ ﺍﻟ",
    "İstanbul ISTANBUL ıstanbul straße STRASSE ẞ ǅ ŉ",
    "ΣΊΣΥΦΟΣ Σ ΟΔΥΣΣΕΑΣ Σίσυφος ΑΣ. ΑΣΑ",
    # Scripts.
    "Большая рыжая лиса на синем фоне",
    "ПРИВЕТ МИР ёлка Ёлка йод Їжак",
    "ثعلب أحمر كبير على خلفية زرقاء، لوحة",
    "مُحَمَّد ١٢٣ ؟",
    "שועל אדום גדול על רקע כחול, שָׁלוֹם",
    "नीले रंग की पृष्ठभूमि पर एक बड़ी लाल लोमड़ी क्षत्रिय १२३",
    "蓝色背景上的一只红色大狐狸，油画。",
    "青い背景の大きな赤い狐、油絵ﾃﾞｨﾃｰﾙ。ー々〆",
    "파란 배경에 큰 빨간 여우 ㅋㅋㅋ",
    "หมาป่าสีแดงตัวใหญ่บนพื้นหลังสีน้ำเงิน",
    "தமிழ் ქართული አማርኛ ខ្មែរ བོད་ 𝒜𝓁𝓅𝒽𝒶 𝟙𝟚𝟛 𐍈 𠮷",
    "mixed狐fox лиса여우123абв",
    # Emoji.
    "a 🦊 fox, a 🐱 cat ❤️ ✨",
    "👩‍👩‍👧‍👦 👨🏽‍🚀 👍🏿 🏳️‍🌈 🇫🇷🇩🇪 1️⃣ #️⃣ ☺ ☺️ ⌚︎",
    "🦊🦊🦊fox🦊",
    # Numbers and signs.
    "1234567890 3.14 1,000,000 -5 +7 2024-01-31 10:30",
    "50% off!!! #1 @home a_b c-d e—f … $12.99 €5 £7 ¥9",
    "http://example.org/a?b=c&d=e#f <b>bold</b> {json: [1, 2]} \\ / | ~ ^ `",
    "!!!???...,,,;;;:::---___***",
    "(masterpiece:1.2), ((best quality)), [blurry], {{detailed}}",
    "❶ ➀ ∀x∈ℝ ∑ ∞ ≠ ≤ → ⇒ ♥ ♪ ■ ☃",
    # Text that looks like special tokens.
    "a fox </s> on a <unk> blue <pad> background",
    "</s>",
    "<pad><pad></s>",
    "a</s>b <s> </S> < /s> ＜/s＞",
    "<extra_id_0> fills <extra_id_99> and <extra_id_100> <extra_id_1><extra_id_2>",
    "a <|endoftext|> b<|startoftext|>c <|endoftext|><|endoftext|>",
    "<|EndOfText|> <|STARTOFTEXT|> <| endoftext |> <|endoftext|",
    "<|endoftext|>",
    "<|ENDOFTEXT|>",
    "＜/s＞",
    "  </s>  spaced  <|endoftext|>  ",
]

LONG = [
    " ".join(CORPUS),
    "a " * 600,
    "fox, " * 75 + "end",
    "🦊" * 600,
    "x" * 1000,
]


def strange(count: int, seed: int) -> list[str]:
    """Short texts of characters that any engine knows: those of Unicode 3.2."""
    rng = random.Random(seed)
    known = [
        chr(c)
        for c in range(0x3400)
        if unicodedata.ucd_3_2_0.category(chr(c)) not in ("Cn", "Cs", "Co")
    ] + [chr(c) for c in (*range(0xF900, 0xFA2E), *range(0xFB00, 0xFB07), *range(0xFF01, 0xFF5F))]
    marks = [c for c in known if unicodedata.combining(c)]
    spaces = [c for c in known if c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Zs")]
    letters = list("abcdefghijklmnopqrstuvwxyz '.")
    pools = [known, marks, spaces, letters, letters]
    return [
        "".join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(1, 24))) for _ in range(count)
    ]


def shuffled(lines: list[str], count: int, seed: int) -> list[str]:
    """Sentences of words of the lines, some in capitals, so that words and their parts are frequent."""
    rng = random.Random(seed)
    words = [word for line in lines for word in line.split()]
    sentences = [" ".join(rng.choices(words, k=8)) for _ in range(count)]
    return [line.upper() if i % 8 == 0 else line for i, line in enumerate(sentences)]


def train_t5() -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(shuffled(CORPUS + [line.title() for line in CORPUS], 2000, seed=0)),
        model_writer=model,
        model_type="unigram",
        vocab_size=T5_PIECES,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="nmt_nfkc",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def train_clip() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """CLIP's order: the bytes, the bytes that end a word, what is merged, the two special tokens."""
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    split = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    counts = Counter(word for line in CORPUS for word, _ in split.pre_tokenize_str(line.lower()))
    words = {word: [*word[:-1], f"{word[-1]}</w>"] for word in counts}
    merges: list[tuple[str, str]] = []
    while len(merges) < CLIP_MERGES:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, tokens in words.items():
            for pair in pairwise(tokens):
                pairs[pair] += counts[word]
        # The trainer of tokenizers breaks ties by chance; here the same model comes out every time.
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = {word: merged(tokens, best) for word, tokens in words.items()}
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = dict.fromkeys(left + right for left, right in merges)
    tokens = [*alphabet, *(f"{byte}</w>" for byte in alphabet), *made, BOS, EOS]
    return {token: i for i, token in enumerate(tokens)}, merges


def merged(tokens: list[str], pair: tuple[str, str]) -> list[str]:
    result: list[str] = []
    for token in tokens:
        if result and (result[-1], token) == pair:
            result[-1] += token
        else:
            result.append(token)
    return result


def earlier_t5(tokenizer: T5Tokenizer) -> PreTrainedTokenizerFast:
    """As transformers 4 wrote tokenizer.json: spaces are not split off, but stripped and collapsed."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    state["normalizer"] = {
        "type": "Sequence",
        "normalizers": [
            state["normalizer"],
            {"type": "Strip", "strip_left": False, "strip_right": True},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"},
        ],
    }
    state["pre_tokenizer"] = {
        "type": "Metaspace",
        "replacement": "▁",
        "prepend_scheme": "always",
        "split": True,
    }
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(state)),
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    )


def cases(t5, earlier, clip, pieces) -> list[dict]:
    found = []
    for text in TEXTS + strange(160, seed=0):
        case = {"text": text, "t5": t5(text).input_ids, "clip": clip(text).input_ids}
        others = {"earlierT5": earlier(text).input_ids, "sentencepiece": pieces.encode(text) + [1]}
        # Where they give the same, which is nearly everywhere, once is enough.
        case |= {name: ids for name, ids in others.items() if ids != case["t5"]}
        found.append(case)
    return found


def padded(tokenizer, text: str, length: int) -> list[int]:
    return tokenizer(text, padding="max_length", truncation=True, max_length=length).input_ids


if __name__ == "__main__":
    model = train_t5()
    vocab, merges = train_clip()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "spiece.model").write_bytes(model)
        (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
        lines = ["#version: 0.2", *(f"{left} {right}" for left, right in merges)]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n")
        for path in folder.iterdir():
            (GOLDEN / path.name).write_bytes(path.read_bytes())
        t5 = T5Tokenizer.from_pretrained(folder)
        clip = CLIPTokenizer.from_pretrained(folder)
        pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    texts = ["", "a photo of a big red fox on a blue background", *LONG]
    golden = {
        "made": "training/tokenizer_goldens.py with transformers and sentencepiece",
        "sizes": {"t5": len(t5), "clip": len(clip)},
        "cases": cases(t5, earlier_t5(t5), clip, pieces),
        "padded": [
            {
                "text": text,
                "t5": padded(t5, text, T5_TOKENS),
                "clip": padded(clip, text, CLIP_TOKENS),
            }
            for text in texts
        ],
    }
    parts = []
    for key, value in golden.items():
        text = json.dumps(value)
        if isinstance(value, list):
            text = "[\n" + ",\n".join(json.dumps(case) for case in value) + "\n]"
        parts.append(f"{json.dumps(key)}: {text}")
    (GOLDEN / "ids.json").write_text("{" + ",\n".join(parts) + "}\n")
