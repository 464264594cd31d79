/* Without this, libxml/encoding.h pulls in the system's ICU headers, whose types clash with those of the ICU inside
 * Foundation. It only hides two fields at the end of a structure that nobody here touches. */
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
