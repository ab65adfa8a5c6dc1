/* What ONVIF calls the things that models name: a consumer of its metadata knows these whatever the
 * model. Type is of tt:ObjectType, vehicle of tt:VehicleType (ONVIF's metadatastream.xsd; Analytics
 * Service Specification, Class Descriptor). Pure. */
#ifndef OW_WORKFLOW_ONVIF_NAMES_H
#define OW_WORKFLOW_ONVIF_NAMES_H

struct onvif_name {
    const char *class_name; /* the model's, in lower case */
    const char *type;
    const char *vehicle; /* NULL = none, or of none that ONVIF knows */
};

/* By a model's name for a class, whatever its case; NULL where ONVIF has none. */
const struct onvif_name *onvif_name_find(const char *class_name);

#endif
