/// What the program was started with: its name and its arguments, as bytes.
///
/// Swift's `CommandLine.arguments` looks for them from /proc/self/maps and the place of the environment
/// on, and has none where there is no /proc or a preloaded library got in the way. The C library hands
/// them over.

/// 0 where the C library does not hand them over.
int locus_argument_count(void);

/// `locus_argument_count()` texts.
char *_Nonnull const *_Nullable locus_arguments(void);
