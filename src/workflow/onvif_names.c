#include "workflow/onvif_names.h"

#include <stddef.h>
#include <strings.h>

/* The names of COCO, Pascal VOC, Open Images and Objects365, as far as ONVIF has one. */
static const struct onvif_name names[] = {
    {"person", "Human", NULL},
    {"pedestrian", "Human", NULL},
    {"people", "Human", NULL},
    {"human", "Human", NULL},
    {"man", "Human", NULL},
    {"woman", "Human", NULL},
    {"child", "Human", NULL},
    {"face", "HumanFace", NULL},
    {"human face", "HumanFace", NULL},
    {"car", "Vehicle", "Car"},
    {"van", "Vehicle", NULL},
    {"suv", "Vehicle", "Car"},
    {"taxi", "Vehicle", "Car"},
    {"bus", "Vehicle", "Bus"},
    {"truck", "Vehicle", "Truck"},
    {"pickup truck", "Vehicle", "Truck"},
    {"motorcycle", "Vehicle", "Motorcycle"},
    {"motorbike", "Vehicle", "Motorcycle"},
    {"bicycle", "Bicycle", "Bicycle"},
    {"bike", "Bicycle", "Bicycle"},
    {"vehicle", "Vehicle", NULL},
    {"train", "Vehicle", NULL},
    {"boat", "Vehicle", NULL},
    {"airplane", "Vehicle", NULL},
    {"aeroplane", "Vehicle", NULL},
    {"license plate", "LicensePlate", NULL},
    {"licence plate", "LicensePlate", NULL},
    {"license_plate", "LicensePlate", NULL},
    {"number plate", "LicensePlate", NULL},
    {"vehicle registration plate", "LicensePlate", NULL},
    {"animal", "Animal", NULL},
    {"bird", "Animal", NULL},
    {"cat", "Animal", NULL},
    {"dog", "Animal", NULL},
    {"horse", "Animal", NULL},
    {"sheep", "Animal", NULL},
    {"cow", "Animal", NULL},
    {"elephant", "Animal", NULL},
    {"bear", "Animal", NULL},
    {"zebra", "Animal", NULL},
    {"giraffe", "Animal", NULL},
    {"deer", "Animal", NULL},
    {"barcode", "Barcode", NULL},
    {"fire", "Fire", NULL},
    {"smoke", "Smoke", NULL},
};

const struct onvif_name *onvif_name_find(const char *class_name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i].class_name, class_name) == 0)
            return &names[i];
    return NULL;
}
