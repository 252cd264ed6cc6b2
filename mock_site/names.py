"""Words the made-up runs are named with."""

MODELS = ("otter", "heron", "lynx-small", "lynx-large", "magpie", "badger-7b", "tern", "ibex-moe", "newt", "vole-tiny")
WORDS = ("baseline", "warmup", "ablation", "sweep", "finetune", "distill", "probe", "replay", "holdout", "canary",
         "cosine", "linear", "adamw", "lion", "bf16", "fp8")  # fmt: skip
PARTS = ("train", "eval", "valid", "system", "optim", "data", "grad")
ORGANS = ("loss", "accuracy", "lr", "tokens", "norm", "memory", "latency", "perplexity", "bleu", "entropy")
PARAMETERS = ("model", "optim", "data", "trainer", "scheduler", "tokenizer", "seed", "mesh")
TAGS = ("team", "env", "model", "dataset", "purpose", "git.branch", "owner")
OWNERS_BUCKETS = ("ml-artifacts", "experiments-eu", "lab-store", "research-runs")
