/* ONNX Runtime keeps a few allocations of its own until exit (its thread and schema tables), which
 * the leak check would count against the tests that load it. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libonnxruntime\nleak:libstdc++\n";
}
